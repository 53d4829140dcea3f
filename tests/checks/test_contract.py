"""Every check of ours keeps the contract that checks of other packages are held to, too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding
from harness.checks.registry import BUILT_IN, PROOFS
from harness.history.events import (
    Event,
    Fate,
    FaultHealed,
    FaultObserved,
    OperationEnded,
    PhaseEnded,
    Recovered,
    RunChanged,
    ServiceEnded,
    Trouble,
)
from harness.history.measurements import ResourcesMeasured
from harness.history.reads import Contradiction, Leak, OtherRun, OutboxRead, OutcomeRow
from harness.history.roles import RunRole
from harness.stack.adapters import Adapters
from harness.testing import ContractBroken, check_check, sound_case
from tests.checks.conftest import BEGAN, DRILLED, resources

But = Callable[..., Case]
ACKNOWLEDGED = OperationEnded(run="drilled__1", operation="a", fate=Fate.ACKNOWLEDGED, detail="201", took_s=0.1)
# What spoils the final reads of the sound drill, and what spoils its history.
READS: Mapping[str, Mapping[str, object]] = {
    "artifacts-once": {"artifacts": ()},
    "orders-once": {"broker_orders": ()},
    "not-silent": {"outcomes": ()},
    "acknowledged-once": {"operations": ()},
    "orders-follow-signals": {"signals": ()},
    "scheduled": {"other_runs": (OtherRun("scheduled__1", "scheduled", "success", BEGAN, BEGAN),)},
    "consistent": {"contradictions": {"fills-are-trades": (Contradiction(None, "order_ref ref-1"),)}},
    "drained": {"outbox": OutboxRead(waiting=("AAPL chart",))},
    "private": {"leaks": (Leak("API_TOKEN", "logs/workflow.log", 12),)},
    "witnessed": {"unread": {"notifications": "refused"}},
    "outcomes": {"outcomes": (OutcomeRow(DRILLED, "failed", "[]"),)},
    "steady": {"outcomes": ()},
}
EVENTS: Mapping[str, tuple[tuple[type[Event], ...], tuple[tuple[float, Event], ...]]] = {
    "bounded": ((Recovered,), ()),
    "ran": ((PhaseEnded,), ((3.0, PhaseEnded(phase="steady", took_s=1.0, failure="no link answers")),)),
    "not-leaking": ((ResourcesMeasured,), ((2.7, resources("steady")), (25.5, resources("recovered", threads=90)))),
    "contained": ((), ((6.0, ServiceEnded(service="analysis", returncode=1, last_output="")),)),
    "controlled": ((), ((22.0, Trouble(what="Airflow did not answer")),)),
    "fault-hit": ((FaultObserved,), ()),
    "fault-healed": ((FaultHealed,), ()),
}
EVERY = {**BUILT_IN, **PROOFS}


def test_every_check_is_held_to_the_contract() -> None:
    """A new check needs a case in which it finds something."""
    assert {*READS, *EVENTS, "work-judged"} == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_check_keeps_the_contract(name: str, sound: Case, but: But, but_events: But) -> None:
    """It finds nothing in the sound drill, and what is broken in the spoiled one, under its own name."""
    holds, broken = sound, but(**READS.get(name, {}))
    if name in EVENTS:
        broken = but_events(**_spoiled(name))
    if name == "acknowledged-once":
        asked = but_events(plus=((5.0, ACKNOWLEDGED),))
        holds = _with_operations(asked, ("a",))
        broken = _with_operations(asked, ())
    elif name == "work-judged":
        watched = Adapters.model_validate({"workload": {"wait": {"for_s": 1}}})
        broken = dataclasses.replace(sound, adapters=watched, work_is_judged=False)
    check_check(EVERY[name], holds=holds, broken=broken)


def _spoiled(name: str) -> dict[str, object]:
    without, plus = EVENTS[name]
    return {"without": without, "plus": plus}


def _with_operations(case: Case, operations: tuple[str, ...]) -> Case:
    return dataclasses.replace(case, reads=dataclasses.replace(case.reads, operations=operations))


def _check(judge: Callable[[Case], list[Finding]]) -> Check:
    return dataclasses.replace(BUILT_IN["bounded"], judge=judge)


def test_contract_finds_a_check_that_is_not_registered(sound: Case) -> None:
    """Under a name that is taken, another check would never run."""
    with pytest.raises(ContractBroken, match="is not in the registry, or names another check"):
        check_check(_check(lambda _: []), holds=sound, broken=sound)


def test_contract_finds_a_blind_check(sound: Case) -> None:
    """A check that finds nothing in a broken case is of no use."""
    with pytest.raises(ContractBroken, match="should find what is broken, and found nothing"):
        check_check(BUILT_IN["bounded"], holds=sound, broken=sound)


def test_contract_finds_a_false_alarm(sound: Case, but_events: But) -> None:
    """A check that finds something in a sound case would fail sound systems."""
    broken = but_events(without=(Recovered,))
    with pytest.raises(ContractBroken, match="should find nothing where its promise holds"):
        check_check(BUILT_IN["bounded"], holds=broken, broken=broken)


def test_sound_case_is_sound_for_every_promise() -> None:
    """What the tests of another package start from breaks no promise of ours."""
    case = sound_case(runs=("drilled__1",))
    found = [finding for check in BUILT_IN.values() if not check.needs for finding in check.judge(case)]
    assert found == []
    assert not list(case.history.of(RunChanged))
    assert case.reads.runs["drilled__1"].role is RunRole.DRILLED
