"""What a project that uses the harness writes; the type checkers read it, and nothing runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from harness import (
    Case,
    Check,
    DrillResult,
    DrillRunner,
    Finding,
    HarnessError,
    LinkFault,
    Observation,
    RuntimeName,
    Scenario,
    ServiceEffect,
    ServiceFault,
    Toxic,
    Verdict,
    Weight,
)


def test_backend_outage_loses_nothing(drill: DrillRunner) -> None:
    """A scenario by its name."""
    drill("backend-down").expect_pass()


def verdict_of(stack: str, scenario: Scenario) -> Verdict:
    """A scenario that a program has made, and what it came to."""
    try:
        with DrillRunner.open(stack, runtime=RuntimeName.DOCKER) as drill:
            result: DrillResult = drill(scenario)
    except HarnessError as error:
        raise SystemExit(error.exit_code) from error
    lost: tuple[Finding, ...] = result.of("artifacts-once")
    return Verdict.FAIL if lost else result.verdict


class Trickle(LinkFault):
    """A fault of a link: answers come byte by byte."""

    kind: Literal["trickle"] = "trickle"
    IN_LOGS: ClassVar[str] = "timeout"

    def toxics(self) -> tuple[Toxic, ...]:
        """One byte at a time."""
        return (Toxic(type="slicer", stream="downstream", attributes={"average_size": 1, "delay": 1000}),)


class Sleepy(ServiceFault):
    """A fault of a service, with an effect of its own."""

    kind: Literal["sleepy"] = "sleepy"

    @classmethod
    def effects(cls) -> Mapping[str, type[object]]:
        """The effect, by runtime."""
        return {RuntimeName.LOCAL: SleepyEffect}


class SleepyEffect(ServiceEffect[Sleepy]):
    """How it is made true."""

    async def switch_on(self) -> None:
        """Freeze the service."""
        await self.service.pause()

    async def observe_service(self) -> Observation:
        """See that it is frozen."""
        return Observation(as_expected=True, saw=str(await self.service.state()))

    async def switch_off(self) -> None:
        """Let it go on."""
        await self.service.resume()


def judge(case: Case) -> Sequence[Finding]:
    """A check of one's own."""
    if case.reads.notifications:
        return []
    return [Finding("told", Weight.SAFETY, "the desk was not told", "one message", "none", "reads.json")]


CHECK = Check(name="told", judge=judge, holds_when="the desk is told", witness="the notification sink")
