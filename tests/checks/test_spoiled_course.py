"""The judge alone on spoiled words, times and leftovers: each is found by the promise that is broken."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta

import pytest

from harness.checks.case import Case
from harness.history.events import FaultHit, RunGivenUp, Witness
from harness.history.reads import (
    Contradiction,
    Leak,
    OtherRun,
    OutboxRead,
)
from harness.history.roles import RunRole
from tests.checks.conftest import BEGAN, DRILLED, RECOVERY, link_used, resources
from tests.checks.spoiling import Spoil, assert_found_by, both, events, reads, told, word

TRUE_WORDS = f"run {DRILLED} is degraded: generate_daily_chart: the backend was away"
LOST: Mapping[str, tuple[str, Spoil]] = {
    # words
    "all is well, says the alert of a degraded run": ("not-silent", told(f"run {DRILLED}: all is well")),
    "an alert that gives no reason": ("not-silent", told(f"run {DRILLED} is degraded")),
    "30 alerts without a run": ("not-silent", told(TRUE_WORDS, *["something is wrong"] * 30)),
    "an alert about a run that went well": ("not-silent", told(TRUE_WORDS, f"run {RECOVERY} is degraded")),
    "the same alert twice": ("not-silent", told(TRUE_WORDS, TRUE_WORDS)),
    "no alert": ("not-silent", told()),
    "no outcome": ("not-silent", reads(outcomes=(), notifications=())),
    "contradicting outcome": ("not-silent", word("failed")),
    "an outcome that is still 'running'": ("not-silent", word("running")),
    "a log that says nothing of the failure": ("not-silent", events(without=(FaultHit,))),
    "success under a fault that hit": ("outcomes", both(word("success"), told())),
    # time, storms, schedule, agreement, outbox, resources, secrets
    "a run that was given up": (
        "bounded",
        events((21.0, RunGivenUp(run=DRILLED))),
    ),
    "a run that took too long by its own clock": (
        "bounded",
        lambda case: reads(
            runs={
                name: dataclasses.replace(run, started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=61))
                for name, run in case.reads.runs.items()
            }
        )(case),
    ),
    "11,279 attempts in 15 s": (
        "bounded",
        events(
            (26.0, FaultHit(fault="fault-1", witness=Witness.SYSTEM, count=11279, detail="lines")), without=(FaultHit,)
        ),
    ),
    "a storm of connections once the fault is over": (
        "bounded",
        events((24.95, link_used(RECOVERY, RunRole.RECOVERY, connections=4000))),
    ),
    "connections opened without end": (
        "bounded",
        events((21.2, link_used(DRILLED, RunRole.DRILLED, open_connections=116))),
    ),
    "107 of 116 connections never given back": (
        "not-leaking",
        events((24.95, link_used(RECOVERY, RunRole.RECOVERY, open_connections=107))),
    ),
    "threads left over": (
        "not-leaking",
        events((25.6, resources("recovered", threads=40))),
    ),
    "memory left over": (
        "not-leaking",
        events((25.6, resources("recovered", memory_bytes=500_000_000))),
    ),
    "a run that came unasked": (
        "scheduled",
        reads(other_runs=(OtherRun("manual__x", "manual", "success", None, BEGAN),)),
    ),
    "a run for the past": (
        "scheduled",
        reads(other_runs=(OtherRun("scheduled__x", "scheduled", "success", BEGAN - timedelta(days=3), BEGAN),)),
    ),
    "a tick without a run": ("scheduled", reads(ticks=(BEGAN + timedelta(seconds=10),))),
    "rows that disagree": (
        "consistent",
        reads(contradictions={"fills-are-trades": (Contradiction(DRILLED, "ref"), Contradiction(None, "other"))}),
    ),
    "dead letters": ("drained", reads(outbox=OutboxRead(dead=("AAPL chart",)))),
    "an outbox that is never emptied": ("drained", reads(outbox=OutboxRead(waiting=("AAPL chart",)))),
    "an outbox under another host": ("drained", reads(outbox=OutboxRead(stranded=("worker-7",)))),
    "a token in a log": ("private", reads(leaks=(Leak("API_TOKEN", "logs/workflow.log", 12),))),
    "a steady state that is not reached again": (
        "steady",
        lambda case: reads(
            runs={
                name: dataclasses.replace(run, state="failed") if name == RECOVERY else run
                for name, run in case.reads.runs.items()
            }
        )(case),
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_loss_is_found_by_the_promise_that_is_broken(sound: Case, name: str) -> None:
    """Each of these fails the drill, and the promise that is broken says so."""
    promise, spoil = LOST[name]
    assert_found_by(promise, spoil(sound))
