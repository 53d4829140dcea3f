"""Promises that a stack's file states itself."""

from __future__ import annotations

import dataclasses

import pytest

from harness.checks.case import Case
from harness.checks.finding import Weight
from harness.checks.probe import probe_check
from harness.checks.registry import checkable
from harness.errors import UsageError
from harness.history.reads import ProbeRead
from harness.stack.adapters import Adapters
from harness.stack.probes import LogPromise, Probe, SqlPromise

NONE_LEFT = SqlPromise(sql="SELECT 1", rows=0)
SUM = SqlPromise(sql="SELECT 1", value=12)
NEVER = LogPromise(log="api", matches="Traceback", at_most=0)
TOLD = LogPromise(log="api", matches="lost", at_least=2, during="faults")


def titles(case: Case, probe: Probe, read: ProbeRead | None) -> list[tuple[str, Weight]]:
    """What the check of a probe finds, by title and weight."""
    probes = {} if read is None else {"mine": read}
    found = probe_check("mine", probe).judge(
        dataclasses.replace(case, reads=dataclasses.replace(case.reads, probes=probes))
    )
    assert all(finding.check == "mine" for finding in found)
    return [(finding.title, finding.weight) for finding in found]


@pytest.mark.parametrize(
    ("probe", "read"),
    [
        (NONE_LEFT, ProbeRead(0)),
        (SUM, ProbeRead(1, "12")),
        (SqlPromise(sql="SELECT 1", value=None), ProbeRead(1, None)),
        (NEVER, ProbeRead(0)),
        (TOLD, ProbeRead(2)),
        (TOLD, None),
    ],
)
def test_probe_that_holds_finds_nothing(sound: Case, probe: Probe, read: ProbeRead | None) -> None:
    """What is as the file says is no finding; nor is a part of the drill that never was."""
    assert titles(sound, probe, read) == []


@pytest.mark.parametrize(
    ("probe", "read", "title", "weight"),
    [
        (NONE_LEFT, ProbeRead(3, "x", "{'id': 'x'}"), "a query finds other rows", Weight.SAFETY),
        (SUM, ProbeRead(1, "11"), "a query finds another value", Weight.SAFETY),
        (SUM, ProbeRead(2, "12"), "a query finds another value", Weight.SAFETY),
        (NEVER, ProbeRead(1), "a log says what it must not", Weight.SAFETY),
        (TOLD, ProbeRead(1), "a log does not say what it must", Weight.LIVENESS),
    ],
)
def test_probe_that_does_not_hold_is_found(
    sound: Case, probe: Probe, read: ProbeRead, title: str, weight: Weight
) -> None:
    """Each kind of probe finds what is not as the file says."""
    assert titles(sound, probe, read) == [(title, weight)]


@pytest.mark.parametrize("name", ["bounded", "fault-hit"])
def test_probe_takes_no_name_of_a_check(name: str) -> None:
    """Under the name of a promise or a proof, one of the two would never be judged."""
    adapters = Adapters.model_validate(
        {"workload": {"wait": {"for_s": 1}}, "probes": {name: {"log": "api", "matches": "x", "at_most": 0}}}
    )
    with pytest.raises(UsageError, match=f"probes.{name}: a check has this name already"):
        checkable(adapters)
