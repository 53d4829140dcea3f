"""Scenario files: what they may say, and how errors in them are told."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.errors import ScenarioError
from harness.faults.link.latency import Latency
from harness.faults.registry import BUILT_IN
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.restart import Restart
from harness.scenario.loading import list_scenarios, load_scenario
from harness.scenario.model import Scenario
from harness.scenario.schema import SCHEMA_FILE, schema_text
from harness.scenario.triggers import TRIGGERS, AtTime, BeforeRun, NthConnection, OrderAtBroker, TaskState
from harness.stack.stack import Stack, load_stack
from tests.faults.rows import ROWS

PROJECT = Path(__file__).parents[2]
SCENARIOS = PROJECT / "scenarios"
GOOD = """\
name: mine
about: One fault.
faults:
  - link: workflow -> backend
    is: refused
    from: {task: place_order, state: running}
    for_s: 15
"""


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The project's stack."""
    return load_stack(PROJECT / "docker-compose.test.yml", {})


def load(tmp_path: Path, stack: Stack, text: str, name: str = "mine") -> Scenario:
    """Load a scenario from text."""
    (tmp_path / f"{name}.yaml").write_text(text)
    return load_scenario(name, tmp_path, stack)


@pytest.mark.parametrize("name", list_scenarios(SCENARIOS))
def test_scenario_of_the_project_loads_and_fits_the_schema(stack: Stack, name: str) -> None:
    """Every scenario that ships is right by the model and by the JSON Schema that editors use."""
    load_scenario(name, SCENARIOS, stack)
    jsonschema.validate(yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text()), json.loads(SCHEMA_FILE.read_text()))


def test_schema_is_up_to_date() -> None:
    """The schema file is what the model says; `python -m harness.reference` writes it."""
    assert SCHEMA_FILE.read_text() == schema_text()


@pytest.mark.parametrize("name", BUILT_IN)
def test_scenario_survives_its_own_json(name: str) -> None:
    """A scenario written as JSON and read again is the same, with any fault, and fits the schema that editors use."""
    fault = BUILT_IN[name]
    on = {"link": "a -> b"} if fault.TARGET == "link" else {"service": "a"}
    how_long = {"for_s": 1} if fault.LASTS else {}
    settings = ROWS[name].settings
    written = {
        "name": "x",
        "about": "",
        "faults": [{**on, "is": fault.model_validate(settings).as_written() if settings else name, **how_long}],
    }
    scenario = Scenario.model_validate(written)
    assert Scenario.model_validate_json(scenario.model_dump_json(by_alias=True)) == scenario
    jsonschema.validate(written, json.loads(SCHEMA_FILE.read_text()))


def test_fault_of_a_service_is_read(tmp_path: Path, stack: Stack) -> None:
    """A service is named in the place of a link."""
    text = GOOD.replace("link: workflow -> backend", "service: backend").replace("refused", "{cpu-limit: {cpus: 0.1}}")
    (injection,) = load(tmp_path, stack, text).faults
    assert (injection.target, injection.fault) == ("backend", CpuLimit(cpus=0.1))


def test_restart_has_no_length(tmp_path: Path, stack: Stack) -> None:
    """A restart is over when the service is back."""
    text = GOOD.replace("link: workflow -> backend", "service: backend").replace("refused", "restart")
    (injection,) = load(tmp_path, stack, text.replace("    for_s: 15\n", "")).faults
    assert (injection.fault, injection.lasts_s) == (Restart(), 0.0)
    with pytest.raises(ScenarioError, match="a restart is over by itself; leave out"):
        load(tmp_path, stack, text)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("{at_s: 2.5}", AtTime(at_s=2.5)),
        ("{before: run}", BeforeRun(before="run")),
        ("{task: place_order}", TaskState(task="place_order", state="running")),
        ("{connection: 3}", NthConnection(connection=3)),
        ("{order: 1}", OrderAtBroker(order=1)),
    ],
)
def test_trigger_is_told_by_its_first_key(tmp_path: Path, stack: Stack, text: str, trigger: object) -> None:
    """Each trigger has a key of its own."""
    scenario = load(tmp_path, stack, GOOD.replace("{task: place_order, state: running}", text))
    assert scenario.faults[0].start == trigger


def test_fault_may_last_as_long_as_the_run(tmp_path: Path, stack: Stack) -> None:
    """An event ends a fault in the place of a time."""
    (fault,) = load(tmp_path, stack, GOOD.replace("for_s: 15", "until: run-ended")).faults
    assert (fault.for_s, fault.until) == (None, "run-ended")


def test_fault_with_settings_is_read(tmp_path: Path, stack: Stack) -> None:
    """A fault that has settings is written with them."""
    scenario = load(tmp_path, stack, GOOD.replace("is: refused", "is: {latency: {delay_ms: 500}}"))
    assert scenario.faults[0].fault == Latency(delay_ms=500)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("is: refused", "is: refusd", "mine.yaml:5: faults.0.is: unknown fault 'refusd'; there are: refused, reset"),
        ("is: refused", "is: {latency: {delay_ms: 0}}", "mine.yaml:5: faults.0.is"),
        ("for_s: 15", "for_s: -1", "mine.yaml:7: faults.0.for_s: input should be greater than 0, got -1"),
        ("for_s: 15", "fors: 15", "mine.yaml:7: faults.0.fors: unknown key; did you mean 'for_s'?"),
        ("    for_s: 15\n", "", "faults.0.for_s: is required, or 'until: run-ended'"),
        ("for_s: 15", "for_s: 15\n    until: run-ended", "faults.0.for_s: either a time ends a fault or an event does"),
        ("for_s: 15", "until: dawn", "mine.yaml:7: faults.0.until"),
        ("task: place_order", "task: place_ordr", "mine.yaml:6: faults.0.from.task: 'place_ordr' is not a task of the workflow"),
        ("state: running", "state: walking", "mine.yaml:6: faults.0.from.state"),
        ("{task: place_order, state: running}", "{when: now}", f"a trigger begins with one of: {', '.join(TRIGGERS)}"),
        ("link: workflow -> backend", "link: workflow -> moon", "mine.yaml:4: faults.0.link: link 'workflow -> moon' is not a link of the stack; there are: 'workflow -> backend'"),
        ("link: workflow -> backend", "service: moon", "mine.yaml:5: faults.0.is: 'refused' is a fault of a link: write link: client -> server"),
        ("is: refused", "is: kill", "mine.yaml:5: faults.0.is: 'kill' is a fault of a service: write service: NAME"),
        ("link: workflow -> backend\n    is: refused", "service: moon\n    is: kill", "mine.yaml:4: faults.0.service: 'moon' is not a service of the stack; there are: postgres"),
        ("is: refused", "service: backend\n    is: kill", "mine.yaml:6: faults.0.is: is for a link or a service, not for several"),
        ("name: mine", "name: yours", "mine.yaml:1: name: is 'yours', but the file is called 'mine.yaml'"),
        ("about: One fault.", "about: One fault.\npromises: [artefacts]", "mine.yaml:3: promises.0: there is no promise 'artefacts'; there are: artifacts-once, "),
        ("about: One fault.", "about: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_scenario_error_names_file_line_and_key(tmp_path: Path, stack: Stack, old: str, new: str, told: str) -> None:
    """Anything wrong is told in one line that names the place and what is allowed."""
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, stack, GOOD.replace(old, new))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_scenario_that_is_unknown_suggests_one(stack: Stack) -> None:
    """A slip of the pen is answered with the nearest name."""
    with pytest.raises(ScenarioError, match=r"no scenario 'backend-dwn': did you mean 'backend-down'\?"):
        load_scenario("backend-dwn", SCENARIOS, stack)
