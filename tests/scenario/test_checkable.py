"""What a scenario asks for and the stack cannot tell is an error before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario.loading import load_scenario
from harness.stack.stack import Stack, load_stack

COMPOSE = """\
services:
  api: {image: api}
  db: {image: postgres:18}
x-harness:
  links: [api -> db:5432]
  adapters:
    workload: {wait: {for_s: 1}}
    probes:
      never-panics: {log: api, matches: panic, at_most: 0}
"""
SCENARIO = """\
name: mine
about: One fault.
promises: [PROMISE]
faults:
  - link: api -> db
    is: refused
    from: {TRIGGER}
    for_s: 1
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack without Airflow, a broker, or a record of anything."""
    (tmp_path / "compose.yml").write_text(COMPOSE)
    return load_stack(tmp_path / "compose.yml", {})


def load(tmp_path: Path, stack: Stack, promise: str, trigger: str) -> list[str]:
    """Load the scenario and give its promises."""
    (tmp_path / "mine.yaml").write_text(SCENARIO.replace("PROMISE", promise).replace("TRIGGER", trigger))
    return load_scenario("mine", tmp_path, stack).promises


def test_scenario_may_name_a_probe_of_its_stack(tmp_path: Path, stack: Stack) -> None:
    """A promise of the stack's own is one like any other."""
    assert load(tmp_path, stack, "bounded, never-panics", "at_s: 1") == ["bounded", "never-panics"]


@pytest.mark.parametrize(
    ("promise", "trigger", "told"),
    [
        ("orders-once", "at_s: 1", "mine.yaml:3: promises.0: 'orders-once' cannot be checked: compose.yml does not name x-harness.adapters.orders and x-harness.adapters.gateway; what can be: bounded, steady, not-leaking, private, never-panics"),
        ("never-panicks", "at_s: 1", "mine.yaml:3: promises.0: there is no promise 'never-panicks'; there are: bounded, steady, not-leaking, private, never-panics"),
        ("bounded", "task: draw", "mine.yaml:7: faults.0.from: needs x-harness.adapters.airflow, which compose.yml does not name"),
        ("bounded", "order: 1", "mine.yaml:7: faults.0.from: needs x-harness.adapters.gateway, which compose.yml does not name"),
    ],
)  # fmt: skip
def test_scenario_that_asks_for_what_the_stack_cannot_tell(
    tmp_path: Path, stack: Stack, promise: str, trigger: str, told: str
) -> None:
    """The place, what is missing, and what there is instead."""
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, stack, promise, trigger)
    assert str(caught.value).endswith(told)
