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
    FaultHit,
    OperationEnded,
    PhaseEnded,
    Recovered,
    RunChanged,
    Trouble,
)
from harness.history.roles import RunRole
from harness.testing import ContractBroken, check_check, sound_case

But = Callable[..., Case]
ACKNOWLEDGED = OperationEnded(run="drilled__1", operation="a", fate=Fate.ACKNOWLEDGED, detail="201", took_s=0.1)
# What spoils the final reads of the sound drill, and what spoils its history.
READS: Mapping[str, Mapping[str, object]] = {
    "artifacts-once": {"artifacts": ()},
    "orders-once": {"broker_orders": ()},
    "not-silent": {"outcomes": ()},
    "acknowledged-once": {"operations": ()},
}
EVENTS: Mapping[str, tuple[tuple[type[Event], ...], tuple[tuple[float, Event], ...]]] = {
    "bounded": ((Recovered,), ()),
    "steady": ((PhaseEnded,), ((3.0, PhaseEnded(phase="steady", took_s=1.0, failure="no link answers")),)),
    "controlled": ((), ((22.0, Trouble(what="Airflow did not answer")),)),
    "fault-hit": ((FaultHit,), ()),
    "fault-healed": ((FaultHealed,), ()),
}
EVERY = {**BUILT_IN, **PROOFS}


def test_every_check_is_held_to_the_contract() -> None:
    """A new check needs a case in which it finds something."""
    assert {*READS, *EVENTS} == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_check_keeps_the_contract(name: str, sound: Case, but: But, but_events: But) -> None:
    """It finds nothing in the sound drill, and what is broken in the spoiled one, under its own name."""
    holds, broken = sound, but(**READS[name]) if name in READS else but_events(**_spoiled(name))
    if name == "acknowledged-once":
        asked = but_events(plus=((5.0, ACKNOWLEDGED),))
        holds = _with_operations(asked, ("a",))
        broken = _with_operations(asked, ())
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
