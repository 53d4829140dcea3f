"""What one drill came to: its verdict, its findings, its figures, and the way to its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import Field, TypeAdapter

from harness.checks.case import RUN_ENDED
from harness.checks.finding import Finding, Verdict, Weight
from harness.checks.verdict import worst
from harness.history.events import RunChanged
from harness.history.history import History, read_history
from harness.history.reads import FinalReads, RunRead
from harness.history.roles import RunRole


class DrillFailed(AssertionError):
    """A drill did not show what was expected of it; the text is its findings, and the path of its evidence."""

    # Our own frames say nothing to the reader of a test's report.
    __tracebackhide__ = True


@dataclass(frozen=True)
class DrillResult:
    """One drill, over and judged, or skipped.

    As JSON it is an entry of ``verdict.json``.

    Args:
        scenario: its name.
        about: what it is, in a sentence.
        faults: what went wrong, one text a fault.
        verdict: the verdict.
        seed: the seed of everything random.
        again: the command that does it again.
        checks: the checks that ran. Of any other, an absence of findings says nothing.
        promised: what each of them holds the system to, in words.
        promises: how many promises were among them.
        kept: how many of those held.
        unchecked: the promises of which nothing is known: nothing can be asked, or the scenario leaves them out.
        findings: everything that was found, the heaviest first.
        hits: how often the system met the faults; None without faults.
        healed_ms: the longest time from the order to lift until a link probe went through; None without faults.
        recovery_s: from the last heal until the system was back to normal; None when it was not, or without faults.
        took_s: how long the drill took, without the stack's start.
        folder: where the evidence is, relative to the report.
        skipped: why it was not drilled at all; None when it was.
        report: the report's directory. It is not written down: who reads a report knows where it lies.
    """

    scenario: str
    about: str
    faults: tuple[str, ...]
    verdict: Verdict
    seed: int
    again: str
    checks: tuple[str, ...] = ()
    promised: Mapping[str, str] = field(default_factory=dict)
    promises: int = 0
    kept: int = 0
    unchecked: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    hits: int | None = None
    healed_ms: float | None = None
    recovery_s: float | None = None
    took_s: float = 0.0
    folder: str = ""
    skipped: str | None = None
    report: Annotated[Path, Field(exclude=True)] = Path()

    @property
    def evidence(self) -> Path:
        """The directory of its history, its final reads and its logs."""
        return self.report / self.folder

    @cached_property
    def reads(self) -> FinalReads:
        """What the independent witnesses said when everything was over, read from the evidence."""
        return TypeAdapter(FinalReads).validate_json((self.evidence / "reads.json").read_bytes())

    @cached_property
    def history(self) -> History:
        """Everything that happened, in order, read from the evidence."""
        return read_history(self.evidence / "history.jsonl")

    def of(self, check: str) -> tuple[Finding, ...]:
        """The findings of one check."""
        return tuple(finding for finding in self.findings if finding.check == check)

    def expect_pass(self) -> None:
        """Fail the test unless the drill passed.

        Raises:
            DrillFailed: with the findings and the path of the evidence.
        """
        __tracebackhide__ = True
        if self.verdict is not Verdict.PASS:
            self.fail(self.skipped or self.findings)

    def expect(self, check: str) -> None:
        """Fail the test unless a check ran on a sound drill and found nothing.

        Args:
            check: the check's name, as scenarios name it.

        Raises:
            DrillFailed: it found something, it was not among those that ran, or the drill can tell nothing.
        """
        __tracebackhide__ = True
        if check not in self.checks:
            ran = ", ".join(sorted(self.checks)) or "none"
            self.fail(self.skipped or f"{check!r} should have been checked, and was not; what ran: {ran}")
        if found := self.of(check):
            self.fail(found)
        self.expect_sound()

    def expect_sound(self) -> None:
        """Fail the test unless the drill went as planned, so that what it shows is the system's doing.

        Raises:
            DrillFailed: the system was not in its steady state, a fault did not hit, the harness had trouble.
        """
        __tracebackhide__ = True
        if self.skipped is not None:
            self.fail(self.skipped)
        doubts = (Weight.UNSOUND, Weight.UNPROVEN)
        if unsound := [finding for finding in self.findings if finding.weight in doubts]:
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
        """How long the drilled run took, as the history shows it; None when it did not end."""
        run = self.drilled.run_id
        changes = [(entry.at_s, event.state) for entry, event in self.history.of(RunChanged) if event.run == run]
        ended_at_s = next((at_s for at_s, state in changes if state in RUN_ENDED), None)
        return None if ended_at_s is None else ended_at_s - changes[0][0]

    def fail(self, reason: str | Sequence[Finding]) -> NoReturn:
        """Fail the test, with the verdict above the reason and the path of the evidence below.

        Args:
            reason: one sentence, or the findings.

        Raises:
            DrillFailed: always.
        """
        __tracebackhide__ = True
        text = reason if isinstance(reason, str) else "\n\n".join(str(finding) for finding in reason)
        # What passed as a drill may still not be what this test expects of it.
        verdict = Verdict.FAIL if self.verdict is Verdict.PASS else self.verdict
        raise DrillFailed(f"{verdict} {self.scenario}\n\n{text}\n\nreport  {self.evidence}")


def verdict_of_all(results: Iterable[DrillResult]) -> Verdict:
    """The verdict of several drills together."""
    return worst(result.verdict for result in results)
