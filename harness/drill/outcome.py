"""What one drill came to, for a program or a test that asks about it check by check."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter

from harness.checks.finding import Finding, Verdict, Weight
from harness.history.events import RunChanged, RunRole
from harness.history.history import History, read_history
from harness.history.reads import FinalReads, RunRead
from harness.report.files import finding_text
from harness.report.summary import Summary

_ENDED = frozenset({"success", "failed"})


class DrillFailed(AssertionError):
    """A drill did not show what was expected of it; the text is its findings, and the path of its report."""

    # Our own frames say nothing to the reader of a test's report.
    __tracebackhide__ = True


class Outcome:
    """What one drill came to.

    Args:
        summary: verdict, findings and figures.
        report: the folder with the evidence.
        checks: the checks that ran. Of any other, an absence of findings says nothing.
    """

    def __init__(self, summary: Summary, report: Path, checks: frozenset[str]) -> None:
        self.summary = summary
        self.report = report
        self.checks = checks

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE."""
        return self.summary.verdict

    @cached_property
    def reads(self) -> FinalReads:
        """What the independent witnesses said when everything was over."""
        return TypeAdapter(FinalReads).validate_json((self.report / "reads.json").read_bytes())

    @cached_property
    def history(self) -> History:
        """Everything that happened, in order."""
        return read_history(self.report / "history.jsonl")

    def of(self, check: str) -> tuple[str, ...]:
        """The findings of one check, as text."""
        return tuple(finding_text(finding) for finding in self.summary.findings if finding.check == check)

    def expect_pass(self) -> None:
        """Fail the test unless the drill passed.

        Raises:
            DrillFailed: with the findings and the report's path.
        """
        __tracebackhide__ = True
        if self.verdict is not Verdict.PASS:
            self.fail(self.summary.findings)

    def expect(self, check: str) -> None:
        """Fail the test unless a check ran on a sound drill and found nothing.

        Args:
            check: the check's name, as scenarios name it.

        Raises:
            DrillFailed: it found something, it was not among those that ran, or the drill can tell nothing.
        """
        __tracebackhide__ = True
        if check not in self.checks:
            ran = ", ".join(sorted(self.checks))
            self.fail(f"{check!r} should have been checked, and was not; what ran: {ran}")
        if found := [finding for finding in self.summary.findings if finding.check == check]:
            self.fail(found)
        self.expect_sound()

    def expect_sound(self) -> None:
        """Fail the test unless the drill went as planned, so that what it shows is the system's doing.

        Raises:
            DrillFailed: the system was not in its steady state, a fault did not bite, the harness had trouble.
        """
        __tracebackhide__ = True
        if unsound := [finding for finding in self.summary.findings if finding.weight is Weight.UNSOUND]:
            self.fail(unsound)
        if not any(run.role is RunRole.DRILLED for run in self.reads.runs.values()):
            self.fail("the workflow should have run, and the drill ended before it did")

    @property
    def drilled(self) -> RunRead:
        """The run that met the faults.

        Raises:
            DrillFailed: the drill ended before that run, or tells nothing for another reason.
        """
        __tracebackhide__ = True
        self.expect_sound()
        return next(run for run in self.reads.runs.values() if run.role is RunRole.DRILLED)

    @property
    def run_took_s(self) -> float | None:
        """How long the drilled run took, as Airflow's API showed it; None when it did not end."""
        run = self.drilled.run_id
        changes = [(entry.at_s, event.state) for entry, event in self.history.of(RunChanged) if event.run == run]
        ended_at_s = next((at_s for at_s, state in changes if state in _ENDED), None)
        return None if ended_at_s is None else ended_at_s - changes[0][0]

    def fail(self, reason: str | Sequence[Finding]) -> NoReturn:
        """Fail the test, with the verdict above the reason and the report's path below.

        Args:
            reason: one sentence, or the findings.

        Raises:
            DrillFailed: always.
        """
        __tracebackhide__ = True
        text = reason if isinstance(reason, str) else "\n\n".join(finding_text(finding) for finding in reason)
        # What passed as a drill may still not be what this test expects of it.
        verdict = Verdict.FAIL if self.verdict is Verdict.PASS else self.verdict
        raise DrillFailed(f"{verdict} {self.summary.scenario}\n\n{text}\n\nreport  {self.report}")
