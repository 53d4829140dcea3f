"""Every saboteur in every scenario that should see it, on stacks that are started once and serve many."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.checks.finding import Verdict
from harness.drill.drill import Drill
from harness.drill.opening import running_stack, while_it_lasts
from harness.drill.progress import Progress
from harness.drill.report_directory import folder_of_drill
from harness.errors import HarnessError
from harness.history.events import RunGivenUp
from harness.report.files import write_report
from harness.report.result import DrillResult
from harness.runtime.local.saboteur_switch import SaboteurSwitch
from harness.runtime.running import RunningStack
from harness.saboteurs.declared import Declared
from harness.saboteurs.tried import Outcome, Tried, TriedFile, acts_of, outcome_of
from harness.scenario.model import Scenario
from harness.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class Try:
    """One drill that is to be made.

    Args:
        saboteur: None for one of the sound system.
        nth: which of several of the same, from 1.
    """

    saboteur: Declared | None
    scenario: Scenario
    nth: int = 1

    @property
    def name(self) -> str:
        """The name of the saboteur; empty without one."""
        return "" if self.saboteur is None else self.saboteur.name

    def key(self, code: str) -> tuple[str, str, int, str]:
        """What it is known by, as `Tried.key`."""
        return self.name, self.scenario.name, self.nth, code


class Matrix:
    """The tries that are left, and what came of those that were made.

    Args:
        stack: what runs.
        tries: in the order in which they are made.
        seed: the seed of everything random.
        code: the state of the code.
        directory: for the drills' evidence.
        kept: where results are written down, one by one.
        progress: is told of each step of the stacks and drills.
        on_tried: is told of each result.
    """

    def __init__(
        self,
        stack: Stack,
        tries: Sequence[Try],
        *,
        seed: int,
        code: str,
        directory: Path,
        kept: TriedFile,
        progress: Progress,
        on_tried: Callable[[Tried], object],
    ) -> None:
        self._stack = stack
        self._left = deque(tries)
        self._seed = seed
        self._code = code
        self._directory = directory
        self._kept = kept
        self._progress = progress
        self._on_tried = on_tried

    async def work(self) -> None:
        """Make tries on a stack of one's own while any is left; several workers share them."""
        while self._left:
            async with running_stack(self._stack, self._progress, saboteur="") as running:
                bench = _Bench(running)
                while self._left and not bench.is_spoiled:
                    await self._make(bench, self._left.popleft())

    async def _make(self, bench: _Bench, each: Try) -> None:
        began_s = time.monotonic()
        folder = folder_of_drill(self._directory, f"{each.name or 'sound'}.{each.scenario.name}.{each.nth}")
        found: tuple[str, ...] = ()
        result: DrillResult | None = None
        try:
            await bench.turn(each.saboteur)
            drill = Drill(
                bench.running, each.scenario, seed=self._seed, directory=folder, listener=self._progress.entry
            )
            async with while_it_lasts(bench.running):
                result = await drill.run()
            bench.note(result)
            write_report(folder, [result])
            found = tuple(f"{finding.check}: {finding.title}" for finding in result.findings)
        except HarnessError as cause:
            if cause.exit_code != HarnessError.exit_code:
                raise
            found = (f"harness: {cause}",)
        outcome = _outcome(each, bench, result)
        if outcome is Outcome.INCONCLUSIVE:
            # What one drill has left behind must not be told of the next one's saboteur, nor of this one's.
            bench.is_spoiled = True
            if bench.drills:
                self._left.appendleft(each)
                return
        bench.drills += 1
        tried = Tried(
            saboteur=each.name,
            kind="" if each.saboteur is None else each.saboteur.kind,
            promise="" if each.saboteur is None else each.saboteur.promise,
            scenario=each.scenario.name,
            nth=each.nth,
            code=self._code,
            outcome=outcome,
            verdict=Verdict.INCONCLUSIVE if result is None else result.verdict,
            acted_in=acts_of(bench.switch.notes(), each.name)[1],
            found=found,
            took_s=round(time.monotonic() - began_s, 1),
            evidence=str(folder),
        )
        self._kept.add(tried)
        self._on_tried(tried)


class _Bench:
    """A running stack and the saboteur that it has.

    Args:
        running: the stack.

    Attributes:
        is_spoiled: whether another stack must take its place.
        drills: how many were made on it.
    """

    def __init__(self, running: RunningStack) -> None:
        self.running = running
        self.switch = SaboteurSwitch(running.directory)
        self.is_spoiled = False
        self.drills = 0
        self._restarts: tuple[str, ...] = ()

    def note(self, result: DrillResult) -> None:
        """See to it that no task of a run that was given up still works in the next drill."""
        airflow = self.running.stack.adapters.airflow
        if airflow is not None and any(True for _ in result.history.of(RunGivenUp)):
            self._restarts = (*self._restarts, airflow.tasks_run_in)

    async def turn(self, saboteur: Declared | None) -> None:
        """Plant a saboteur in the place of the one before."""
        self.switch.turn("" if saboteur is None else saboteur.name)
        restarts = () if saboteur is None else saboteur.restarts
        for service in dict.fromkeys((*self._restarts, *restarts)):
            await self.running.restart(service)
        self._restarts = restarts


def _outcome(each: Try, bench: _Bench, result: DrillResult | None) -> Outcome:
    if result is None:
        return Outcome.INCONCLUSIVE
    if each.saboteur is not None:
        return outcome_of(each.saboteur, bench.switch.notes(), result.verdict, result.findings)
    sound = {Verdict.PASS: Outcome.PASSED, Verdict.FAIL: Outcome.FALSE_ALARM}
    return sound.get(result.verdict, Outcome.INCONCLUSIVE)
