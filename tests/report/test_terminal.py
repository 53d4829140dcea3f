"""What people read on the terminal: each finding by its promise's name, under the verdict that it leads to."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from harness.checks.finding import Finding, Verdict, Weight
from harness.history.events import Event, RunChanged, RunGivenUp, TaskChanged
from harness.history.history import Entry
from harness.history.measurements import EvidenceMissing, HarnessStalled
from harness.history.roles import RunRole
from harness.report.result import DrillResult
from harness.report.terminal import TerminalConsole, TerminalProgress, print_findings

LOST = Finding("artifacts-once", Weight.SAFETY, "an artifact was lost", "one", "none", "reads.json")
LATE = Finding("bounded", Weight.LIVENESS, "it did not recover", "within 60 s", "not at all")
NO_HIT = Finding("fault-hit", Weight.UNSOUND, "the fault did not hit", "hits", "none")
RESULT = DrillResult(
    scenario="backend-down",
    about="The backend is away.",
    faults=(),
    verdict=Verdict.FAIL,
    seed=7,
    again="harness drill backend-down --seed 7",
    promised={"artifacts-once": "every artifact is stored once"},
    findings=(NO_HIT, LOST, LATE),
    folder="backend-down",
)


def printed(result: DrillResult) -> list[str]:
    """What is printed of a result's findings, line by line."""
    console = Console(file=io.StringIO(), width=140)
    print_findings(console, result)
    assert isinstance(console.file, io.StringIO)
    return [line.strip() for line in console.file.getvalue().splitlines() if line.strip()]


def test_finding_is_told_by_its_promise_and_in_its_words() -> None:
    """The name that the scenario uses stands before the loss, and below it what was promised."""
    lines = printed(dataclasses.replace(RESULT, findings=(LOST,)))
    assert lines[:2] == [
        "FAIL  backend-down: artifacts-once: an artifact was lost",
        "promised  every artifact is stored once",
    ]


def test_reason_of_an_inconclusive_is_not_told_as_a_fail() -> None:
    """In a drill that fails, too, each finding stands under its own verdict, what fails the drill first."""
    titles = [line for line in printed(RESULT) if line.startswith(("FAIL", "INCONCLUSIVE"))]
    assert titles == [
        "FAIL  backend-down: artifacts-once: an artifact was lost",
        "FAIL  backend-down: bounded: it did not recover",
        "INCONCLUSIVE  backend-down: fault-hit: the fault did not hit",
    ]


def shown(*events: tuple[float, Event]) -> str:
    """What is shown of a drill in which this happened."""
    console = Console(file=io.StringIO(), width=140)
    progress = TerminalProgress(console)
    for seq, (at_s, event) in enumerate(events, start=1):
        progress.entry(Entry(seq=seq, at_s=at_s, event=event))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _task(task: str, state: str, attempt: int = 1) -> TaskChanged:
    return TaskChanged(run="r", task=task, state=state, attempt=attempt)


def test_run_that_is_given_up_names_the_task_that_was_stuck() -> None:
    """The task that was at work is named, with its attempt and since when; those behind it only waited."""
    said = shown(
        (5.0, RunChanged(run="r", role=RunRole.DRILLED, state="running")),
        (6.0, _task("fetch", "running")),
        (8.0, _task("fetch", "success")),
        (17.3, _task("place_order", "running", attempt=2)),
        (17.4, _task("report", "queued")),
        (125.2, RunGivenUp(run="r")),
    )
    assert "the run had not ended after 120 s: place_order was still running (attempt 2, since +12.3 s)\n" in said
    assert "report was" not in said
    assert "fetch was" not in said


def test_trouble_of_the_harness_is_shown_as_it_happens() -> None:
    """That it stood still, and that a log has vanished, are lines of their own."""
    said = shown((1.0, HarnessStalled(took_s=20.04)), (2.0, EvidenceMissing(what="logs/api.log was removed")))
    assert "trouble    the harness stood still for 20.0 s\n" in said
    assert "trouble    logs/api.log was removed\n" in said


@pytest.fixture
def broken_pipe() -> Iterator[io.TextIOWrapper]:
    """A pipe whose reader has gone away."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        yield file


@pytest.fixture
def full_device() -> Iterator[io.TextIOWrapper]:
    """A file on a device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which is always full")
    with Path("/dev/full").open("w", encoding="utf-8") as file:
        yield file


@pytest.mark.parametrize("output", ["broken_pipe", "full_device"])
def test_terminal_that_goes_away_ends_nothing(output: str, request: pytest.FixtureRequest) -> None:
    """What cannot be shown is not shown: neither an error nor an exit comes of it, now or later."""
    console = TerminalConsole(file=request.getfixturevalue(output))
    TerminalProgress(console).line("a line")
    console.print("another")
    assert console.quiet
