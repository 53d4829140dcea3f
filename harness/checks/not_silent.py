"""A failure is never silent: the run says how it ended, one message tells of it and why, and the log names it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.checks.messages import messages
from harness.history.events import FaultHit, Witness
from harness.history.reads import RunRead
from harness.stack.link import matches, parse_link

NAME = "not-silent"


def not_silent(case: Case) -> Sequence[Finding]:
    """Hold each run's own word against how it ended, what people were told against that, and ask the logs.

    A run that the harness gave up on had no chance to say anything: that it did not end is another check's finding. Nor
    had one that was still going on when the drill was broken off.
    """
    findings: list[Finding] = []
    if case.was_read("outcome"):
        for run in case.reads.runs.values():
            if run.run_id not in case.cut_short:
                findings += _word(case, run)
    if case.was_read("outcome", "notifications"):
        findings += messages(case, NAME)
    return [*findings, *_unlogged(case)]


def _word(case: Case, run: RunRead) -> Iterator[Finding]:
    row = case.outcome_rows.get(run.run_id)
    if row is None:
        yield _finding(
            "a run says nothing of its outcome",
            f"run {run.run_id} has an outcome in the system's own record",
            f"no row (SQL); the run ended as {run.state}",
        )
        return
    if (row.outcome == "failed") != (run.state == "failed") or row.outcome not in ("success", "degraded", "failed"):
        yield _finding(
            "a run's word is not true",
            f"run {run.run_id} says how it really ended: {run.state}",
            f"it says {row.outcome!r} (SQL)",
        )


def _unlogged(case: Case) -> Iterator[Finding]:
    """A run that says that it is no success, under a fault of a link about which the client's log says nothing."""
    told = {event.fault for _, event in case.history.of(FaultHit) if event.witness is Witness.SYSTEM}
    met = {event.fault for _, event in case.history.of(FaultHit) if event.witness is not Witness.LINK_PROBE}
    word = case.word_of(case.drilled) if case.drilled and case.drilled_run not in case.cut_short else None
    if word not in ("degraded", "failed") or told:
        return
    silent = [fault for fault in case.faults if "->" in fault.target and _is_logged(case, fault.target)]
    if len(silent) == len(case.faults) and silent and (met or len(silent) == 1):
        fault = silent[0]
        yield Finding(
            check=NAME,
            weight=Weight.LIVENESS,
            title="a failure is in no log",
            expected=f"the log of {fault.target.split(' -> ', maxsplit=1)[0]} tells of calls that failed while"
            f" {fault.target} was {fault.about}, with their context: run {case.drilled_run} ended {word}",
            found="not one line about it while the fault was on",
            see="logs/",
        )


def _is_logged(case: Case, target: str) -> bool:
    link = parse_link(target)
    return any(matches(adapter.link, link) for adapter in case.adapters.traffic)


def _finding(title: str, expected: str, found: str) -> Finding:
    return Finding(
        check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see="reads.json: outcomes"
    )


CHECK = Check(
    name=NAME,
    judge=not_silent,
    holds_when="the run says how it ended; one message tells of one that did not end well, with its outcome and every"
    " reason, and none of anything else; and the log tells of what failed",
    witness="SQL, the notification sink, the logs",
    needs=("outcome", "notifications"),
    of_work=True,
    blind_to="messages by another way than the sink; whether people read them; which of several failures a log "
    "line is about",
)
