"""Results that no check alone has given: of a drill without a verdict, and of one whose evidence could not be kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.checks import controlled
from harness.checks.case import Case
from harness.checks.finding import Finding, Verdict, Weight
from harness.checks.verdict import Judged, judge
from harness.drill.again import drill_again
from harness.drill.unforeseen import unforeseen
from harness.report.figures import faults_of
from harness.report.result import DrillResult
from harness.runtime.running import RunningStack
from harness.scenario.model import Scenario


def trouble(title: str, expected: str, found: str, see: str = "") -> Finding:
    """A finding about the harness itself, which says nothing of the system."""
    return Finding(check=controlled.NAME, weight=Weight.UNSOUND, title=title, expected=expected, found=found, see=see)


def judged_in_any_case(case: Case, promises: Sequence[str], *, folder: Path, redact: Callable[[str], str]) -> Judged:
    """What each check finds; of one that fails itself the trace is kept."""

    def told(check: str, cause: Exception) -> str:
        return str(unforeseen(cause, f"in its check {check}", folder=folder, redact=redact))

    return judge(case, promises, told)


def without_verdict(
    scenario: Scenario, running: RunningStack, found: str, *, seed: int, report: Path, title: str = "it was not drilled"
) -> DrillResult:
    """The result of a drill that came to no verdict: INCONCLUSIVE, with the reason."""
    return DrillResult(
        scenario=scenario.name,
        about=scenario.about,
        faults=faults_of(scenario),
        verdict=Verdict.INCONCLUSIVE,
        seed=seed,
        again=drill_again(
            scenario.name, seed=seed, stack=running.stack.path, runtime=running.runtime, project=running.project
        ),
        checks=(controlled.NAME,),
        findings=(trouble(title, "the drill runs to its end", found),),
        report=report,
    )


def without_evidence(result: DrillResult, unkept: str, title: str = "the evidence could not be kept") -> DrillResult:
    """A result whose evidence could not be kept: what was found stands, and a PASS that nothing shows is none."""
    if result.verdict is Verdict.SKIPPED:
        return result
    verdict = Verdict.INCONCLUSIVE if result.verdict is Verdict.PASS else result.verdict
    told = trouble(title, "a verdict can be read again, with all that it rests on", unkept)
    return dataclasses.replace(result, verdict=verdict, findings=(*result.findings, told))
