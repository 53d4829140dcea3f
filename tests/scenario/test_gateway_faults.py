"""Faults of the gateway in a scenario: every fault of the stub can be ordered, and what it would not take is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from fixtures.ibkr_gateway.faults.published import published_text
from fixtures.ibkr_gateway.faults.registry import FAULTS
from harness.errors import ScenarioError
from harness.faults.gateway.fault import GatewayFault
from harness.faults.gateway.known import KNOWN_FILE, stub_catalogue
from harness.scenario.loading import check_against, load_scenario
from harness.scenario.model import Injection, Scenario
from harness.scenario.writing import scenario_text
from harness.stack.stack import Stack, load_stack

STACK = """\
services:
  gateway: {image: none, x-harness: {run: [none]}}
  client: {image: none, x-harness: {run: [none]}}
x-harness:
  links: [LINKS]
  adapters: {workload: {wait: {for_s: 1}}, ADAPTER}
"""
LINK = "client -> gateway:4002"
ADAPTER = 'gateway: {control: "http://gateway:4003"}'


def injection(**written: object) -> Injection:
    """One fault, as a scenario writes it."""
    return Injection.model_validate({"service": "gateway", "until": "run-ended", **written})


def stack_of(home: Path, *, links: str = LINK, adapter: str = ADAPTER) -> Stack:
    """A stack that is described and never started."""
    (home / "compose.yml").write_text(STACK.replace("LINKS", links).replace("ADAPTER", adapter))
    return load_stack(home / "compose.yml", {})


def test_what_is_known_of_the_stub_is_what_it_publishes() -> None:
    """Scenarios are checked by a copy of the stub's own word, which must not grow stale."""
    assert KNOWN_FILE.read_text() == published_text(), (
        f"{KNOWN_FILE.name} is stale: python -m fixtures.ibkr_gateway.faults.published > {KNOWN_FILE}"
    )


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_the_stub_can_be_ordered(name: str) -> None:
    """By its name and its parameters' defaults; it is written back as it was read, and the schema knows it."""
    schema = Draft202012Validator(Scenario.model_json_schema(by_alias=True))
    settings = FAULTS[name].PARAMETERS().model_dump(mode="json", exclude_none=True)
    read = injection(**{"is": {"gateway": name, "times": 2, **settings}})
    assert read.fault == GatewayFault(gateway=name, times=2, parameters=settings)
    scenario = Scenario(name="one", about="", faults=[read])
    written = yaml.safe_load(scenario_text(scenario))
    assert written["faults"][0]["is"] == {"gateway": name, "times": 2, **settings}
    assert Scenario.model_validate(written) == scenario
    assert list(schema.iter_errors(written)) == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"gateway": "order-hold"}, "the gateway stub has no fault 'order-hold': did you mean 'order-held'?"),
        ({"gateway": "order-held", "reason": "x"}, "order-held has no parameter 'reason'; it has: none"),
        ({"gateway": "slow", "delay_s": -1}, "slow: delay_s: -1 is less than"),
        ({"gateway": "slow", "delay_s": "long"}, "slow: delay_s: 'long' is not of type 'number'"),
        ({"gateway": "order-error", "order": "dies"}, "order-error: order: 'dies' is not one of"),
        ({"gateway": "silent", "requests": ["reqFoo"]}, "silent: requests[0]: 'reqFoo' is not one of"),
        ({"gateway": "garbage-bytes", "message": "reqIds"}, "'reqIds' is not one of"),
        ({"gateway": "order-held", "times": 0}, "greater than or equal to 1"),
        ({}, "unknown fault"),
    ],
)
def test_what_the_stub_would_not_take_is_refused_as_it_is_read(fault: dict[str, object], told: str) -> None:
    """Unknown faults and parameters, values out of range, and names that no message has."""
    with pytest.raises(ValidationError) as caught:
        injection(**{"is": fault})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"is": "kill", "from": {"request": "placeOrder"}}, "only a fault of the gateway can come with a request"),
        ({"is": {"gateway": "slow"}, "from": {"request": "order"}}, "no client sends a request 'order'"),
        ({"is": {"gateway": "slow"}, "for_s": 1}, "either a time ends a fault or an event does"),
        ({"is": {"gateway": "slow"}, "service": None, "link": "client -> gateway"}, "is a fault of a service"),
    ],
)
def test_contradicting_settings_are_refused(written: dict[str, object], told: str) -> None:
    """A trigger that the fault cannot have, two ends, a target of another kind."""
    with pytest.raises(ValidationError, match=told):
        injection(**written)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"adapter": ""}, "needs x-harness.adapters.gateway, which compose.yml does not name"),
        ({"adapter": ADAPTER.replace("gateway:4003", "client:4003")}, "'gateway' is not the gateway stub: .*'client'"),
        ({"links": ""}, "no link leads to 'gateway'"),
    ],
)
def test_stack_without_a_stub_on_a_link_is_told_before_a_start(
    tmp_path: Path, given: dict[str, str], told: str
) -> None:
    """The file and the place are named."""
    scenario = Scenario(name="one", about="", faults=[injection(**{"is": {"gateway": "slow"}})])
    check_against(scenario, stack_of(tmp_path))
    with pytest.raises(ScenarioError, match=told):
        check_against(scenario, stack_of(tmp_path, **given))


def test_unknown_fault_is_told_with_its_place(tmp_path: Path) -> None:
    """One line, with file, line and key, and exit code 2."""
    (tmp_path / "one.yaml").write_text(
        "name: one\nabout: ''\nfaults:\n  - service: gateway\n    is: {gateway: nothing-such}\n    for_s: 1\n"
    )
    with pytest.raises(ScenarioError, match=r"one.yaml:5: .*no fault 'nothing-such'") as caught:
        load_scenario(str(tmp_path / "one.yaml"), tmp_path, stack_of(tmp_path))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_fault_says_what_it_is_with_its_parameters() -> None:
    """In tables and reports."""
    assert GatewayFault(gateway="order-error", parameters={"code": 404}).about == "order-error (code 404)"
    assert set(stub_catalogue().faults) == set(FAULTS)


@pytest.mark.parametrize(
    ("broker", "said"),
    [
        ({"clock": "noon"}, "clock"),
        ({"clock": "25:00"}, "clock"),
        ({"clock": 960}, 'write "09:00"'),
        ({"clock": "2026-02-30T09:00"}, "day is out of range"),
        ({"clock": "1950-01-03T09:00"}, "knows trading days from 1991-01-02 to 2040-12-31"),
        ({"hours": "sometimes"}, "hours"),
    ],
    ids=str,
)
def test_beginning_that_makes_no_sense_is_refused(broker: dict[str, object], said: str) -> None:
    """A time that YAML has read as a number is one of them: 16:00 without quotes is 960."""
    with pytest.raises(ValidationError, match=said):
        Scenario.model_validate({"name": "one", "about": "", "broker": broker})


def test_broker_of_a_stack_that_has_none_is_refused(tmp_path: Path) -> None:
    """What it says would be passed over in silence."""
    scenario = Scenario.model_validate({"name": "one", "about": "", "broker": {"clock": "09:00"}})
    check_against(scenario, stack_of(tmp_path))
    with pytest.raises(ScenarioError, match=r"names none in x-harness\.adapters\.gateway"):
        check_against(scenario, stack_of(tmp_path, adapter=""))
