"""Adapters by choice: what fits together, and what cannot be checked without what."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.checks.registry import checkable, missing_adapters
from harness.stack.adapters import Adapters

WAIT = {"wait": {"for_s": 1}}
HTTP = {"http": {"url": "http://api:8000/"}}
DATABASE = {"dsn": "postgresql://db:5432/x"}
AIRFLOW = {"url": "", "tasks_run_in": "", "username": "", "password": "", "dag": ""}


def adapters(**named: object) -> Adapters:
    """The adapters of a stack."""
    return Adapters.model_validate(named)


# What can be judged of every stack.
ALWAYS = ("not-leaking", "private")


@pytest.mark.parametrize(
    ("named", "promises"),
    [
        ({"workload": WAIT}, {*ALWAYS, "bounded", "steady"}),
        ({"workload": HTTP, "operations": {"sql": "SELECT", "id": "id"}, "database": DATABASE}, {*ALWAYS, "bounded", "steady", "acknowledged-once"}),
        ({"workload": WAIT, "database": DATABASE, "outcome": {"sql": "SELECT"}}, {*ALWAYS, "bounded", "steady"}),
        ({"workload": WAIT, "database": DATABASE, "outcome": {"sql": "SELECT"}, "notifications": {"url": ""}}, {*ALWAYS, "bounded", "steady", "not-silent"}),
        ({"airflow": AIRFLOW, "artifacts": {"http": {"url": "", "fields": {"execution_id": "a", "type": "b", "name": "c"}}}}, {*ALWAYS, "bounded", "steady", "scheduled", "artifacts-once"}),
        ({"workload": WAIT, "probes": {"no-trace": {"log": "api", "matches": "x", "at_most": 0}}}, {*ALWAYS, "bounded", "steady", "no-trace"}),
    ],
)  # fmt: skip
def test_promises_are_those_that_the_adapters_can_check(named: dict[str, object], promises: set[str]) -> None:
    """Each adapter adds what can be checked with it, and a probe adds a promise of its own name."""
    assert set(checkable(adapters(**named))) == promises


def test_promise_tells_which_adapters_it_lacks() -> None:
    """Of several adapters that a promise needs, those that are missing are named."""
    assert missing_adapters("orders-once", adapters(workload=WAIT, gateway={"control": ""})) == ("orders",)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, "name one of them"),
        ({"airflow": AIRFLOW, "workload": WAIT}, "name one of them"),
        ({"workload": {}}, "a workload is one of: http, command, wait"),
        ({"workload": {**WAIT, **HTTP}}, "a workload is one of: http, command, wait"),
        ({"workload": {"http": {"url": "", "id": "{n}"}}}, "two requests could not be told apart"),
        ({"workload": HTTP, "operations": {"sql": "SELECT", "id": "id"}}, "operations asks SQL, and nothing says which database"),
        ({"workload": WAIT, "probes": {"mine": {"sql": "SELECT", "rows": 0}}}, "probes.mine asks SQL"),
        ({"workload": WAIT, "database": DATABASE, "operations": {"sql": "SELECT", "id": "id"}}, "without one there are none"),
        ({"workload": WAIT, "artifacts": {}}, "read by sql or by http"),
        ({"workload": WAIT, "probes": {"mine": {"sql": "SELECT"}}}, "say what the query must find"),
        ({"workload": WAIT, "probes": {"mine": {"log": "api", "matches": "x"}}}, "say how often"),
        ({"workload": WAIT, "probes": {"mine": {"log": "api", "matches": "(", "at_most": 0}}}, "is not a regular expression"),
        ({"workload": WAIT, "probes": {"mine": {"log": "api", "matches": "x", "at_least": 2, "at_most": 1}}}, "at_most is less"),
        ({"workload": WAIT, "probes": {"mine": {"grep": "x"}}}, "a probe begins with sql (a query) or log (a service)"),
        ({"workload": WAIT, "probes": {"Mine": {"sql": "SELECT", "rows": 0}}}, "should match pattern"),
    ],
)  # fmt: skip
def test_adapters_that_do_not_fit_are_told(named: dict[str, object], told: str) -> None:
    """What is missing or contradicts itself is an error before anything starts."""
    with pytest.raises(ValidationError) as caught:
        adapters(**named)
    assert told in str(caught.value)
