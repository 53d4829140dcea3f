"""One drill, from a running stack to a verdict.

    reset → steady → faults (arm, run, on, off, healed) → heal (every link) → settle → reads → checks

However it goes, the faults are lifted; and what the witnesses say is read even when the harness had trouble, because
a lost artifact or a doubled order counts always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.checks.finding import Case, PlannedFault
from harness.checks.verdict import judge
from harness.drill.again import drill_again
from harness.drill.clients import Clients, open_clients
from harness.drill.evidence import keep_evidence
from harness.drill.final_reads import operations_so_far, read_finally, read_operations, read_outcomes
from harness.drill.injector import Injector
from harness.drill.log_marks import LogMarks
from harness.drill.observer import Observer, RunWatch
from harness.drill.phases import phase
from harness.drill.reset import reset
from harness.drill.steady_state import ended_well, links_answer, run_succeeds
from harness.drill.steady_window import SteadyWindow
from harness.drill.summing_up import sum_up
from harness.drill.traffic import Written, lines_that_hit
from harness.drill.workloads.choice import workload_of
from harness.drill.workloads.workload import TaskLogs, Workload
from harness.errors import DeadlineExceeded, HarnessError, NotSteady, ReportNotWritten
from harness.history.events import DrillStarted, FaultHit, Recovered, RunGivenUp, Trouble, Witness
from harness.history.history import Entry, HistoryWriter
from harness.history.reads import FinalReads
from harness.history.roles import RunRole
from harness.report.redaction import Redaction
from harness.report.result import DrillResult
from harness.runtime.running import RunningStack
from harness.scenario.model import Scenario
from harness.scenario.triggers import BeforeRun, OrderAtBroker
from harness.stack.probes import LogPromise

_NOTHING_READ = FinalReads({}, (), (), (), (), ())
_FAULT_MARGIN_S = 30.0
_BETWEEN_RUNS_S = 0.2


class Drill:
    """One scenario on one running stack.

    Args:
        running: the stack.
        scenario: what runs, what goes wrong, what must hold.
        seed: the seed of everything random.
        directory: where history and evidence go, in the directory of the report; made here, must not exist.
        listener: is told of every entry of the history.
    """

    def __init__(
        self,
        running: RunningStack,
        scenario: Scenario,
        *,
        seed: int,
        directory: Path,
        listener: Callable[[Entry], object] | None = None,
    ) -> None:
        self._running = running
        self._scenario = scenario
        self._seed = seed
        self._directory = directory
        self._redaction = Redaction(running.stack.secrets)
        try:
            directory.mkdir(parents=True)
        except OSError as cause:
            raise ReportNotWritten(f"{directory}: the report cannot be written: {cause.strerror}") from cause
        probes = running.stack.adapters.probes.values()
        self._marks = LogMarks(running, {probe.log for probe in probes if isinstance(probe, LogPromise)})
        self._steady = SteadyWindow(running)
        self._listener = listener
        self._history = HistoryWriter(directory / "history.jsonl", self._redaction, self._hear)
        self._began = datetime.now(UTC)
        self._injectors: list[Injector] = []
        self._healed_at_s = 0.0

    async def run(self) -> DrillResult:
        """Go through every phase, and judge.

        Raises:
            ReportNotWritten: the evidence cannot be kept.
            UnsafeTarget: the gateway serves a live account.
        """
        with self._history as history:
            wall = self._began.isoformat()
            history.add(
                DrillStarted(scenario=self._scenario.name, seed=self._seed, session=self._running.session_id, wall=wall)
            )
            self._running.notices.listener = history.add
            reads, logs = _NOTHING_READ, TaskLogs()
            try:
                async with open_clients(self._running) as clients:
                    reads, logs = await self._go(clients)
            except (ReportNotWritten, NotSteady) as cause:
                if isinstance(cause, ReportNotWritten):
                    raise
            except HarnessError as cause:
                if cause.exit_code != HarnessError.exit_code:
                    raise
                _go_on_unless_cancelled(cause)
                self._trouble(cause)
            finally:
                self._running.notices.listener = None
            return self._judge(reads, logs)

    def _hear(self, entry: Entry) -> None:
        self._marks.hear(entry)
        self._steady.hear(entry)
        if self._listener is not None:
            self._listener(entry)

    async def _go(self, clients: Clients) -> tuple[FinalReads, TaskLogs]:
        observer = Observer(self._history, clients.gateway)
        workload = workload_of(self._running, clients, observer, tuple(self._scenario.workflow.symbols))
        with phase(self._history, "reset"):
            await reset(self._running, clients)
            if clients.gateway is not None:
                await clients.gateway.set_fill_delay(self._scenario.broker.fill_delay_s)
            before = await read_operations(clients, self._running)
        with phase(self._history, "steady"):
            await workload.require_whole()
            await links_answer(self._running, self._history)
            await run_succeeds(workload, clients, self._running, self._scenario.run_limit_s)
        try:
            with phase(self._history, "faults"):
                await self._faults_and_run(observer, workload)
            with phase(self._history, "heal"):
                await links_answer(self._running, self._history)
            with phase(self._history, "settle"):
                await self._settle(clients, workload)
        except (HarnessError, ExceptionGroup) as cause:
            _go_on_unless_cancelled(cause)
            self._trouble(_first(cause))
        with phase(self._history, "reads"):
            operations = operations_so_far(before, self._history.so_far())
            reads = await read_finally(clients, self._running, workload, self._marks, operations)
            logs = await workload.logs_of_all()
            self._note_traffic(logs)
        return reads, logs

    async def _faults_and_run(self, observer: Observer, workload: Workload) -> None:
        scenario = self._scenario
        watch = workload.new(RunRole.DRILLED)
        began, over = asyncio.Event(), asyncio.Event()
        held: dict[str, str] = {}
        self._injectors = [
            Injector(planned.id, injection, self._running, observer, self._history, held)
            for planned, injection in zip(self._planned(), scenario.faults, strict=True)
        ]
        for each in self._injectors:
            each.wait_for(self._injectors)
        async with asyncio.TaskGroup() as group:
            orders = None
            starts = [injection.start for injection in scenario.faults]
            if waited_for := [start.order for start in starts if isinstance(start, OrderAtBroker)]:
                orders = group.create_task(observer.watch_orders(watch, up_to=max(waited_for)))
            lives = {each: group.create_task(each.live(watch, began, over)) for each in self._injectors}
            for injector in self._injectors:
                begins_before = isinstance(injector.injection.start, BeforeRun)
                await (injector.on if begins_before else injector.armed).wait()
            ended = await workload.go(watch, scenario.run_limit_s, began)
            over.set()
            for injector, life in lives.items():
                if injector.span.on_at_s is None and not life.done():
                    life.cancel()
                    injector.never_came()
            if lives:
                longest_s = max(injection.lasts_s for injection in scenario.faults)
                await asyncio.wait(lives.values(), timeout=longest_s + _FAULT_MARGIN_S)
            if orders is not None:
                orders.cancel()
            if not ended:
                await self._give_up(workload, watch)
        self._healed_at_s = self._history.now_s

    async def _settle(self, clients: Clients, workload: Workload) -> None:
        """Try fresh runs until one is as it should be: that is what being back to normal means."""
        if not self._scenario.faults:
            return
        healed_at_s = max((each.span.off_at_s or 0.0 for each in self._injectors), default=self._healed_at_s)
        limit_s = self._scenario.recovery_limit_s
        while (left_s := healed_at_s + limit_s - self._history.now_s) > 0:
            watch = workload.new(RunRole.RECOVERY)
            if not await workload.go(watch, left_s):
                await self._give_up(workload, watch)
            outcomes = await read_outcomes(clients, self._running)
            if ended_well(watch, outcomes, says_so=self._running.stack.adapters.outcome is not None):
                self._history.add(Recovered(took_s=self._history.now_s - healed_at_s))
                return
            # A run that fails at once would else be tried again without end.
            await asyncio.sleep(_BETWEEN_RUNS_S)

    async def _give_up(self, workload: Workload, watch: RunWatch) -> None:
        """End a run that has not ended in time, for it would hold up the next one."""
        self._history.add(RunGivenUp(run=watch.run_id))
        await workload.give_up(watch)

    def _note_traffic(self, logs: TaskLogs) -> None:
        traffic = self._running.stack.adapters.traffic
        for injector in self._injectors:
            log_files = {name: self._running.logs.of_service(name) for name in injector.effect.log_names}
            count = lines_that_hit(injector, traffic, Written(logs, log_files, self._began, self._steady))
            if count is not None and count.beyond:
                detail = f"lines that tell of it in the log of {', '.join(log_files)} ({count.told()})"
                hit = FaultHit(fault=injector.id, witness=Witness.SYSTEM, count=count.beyond, detail=detail)
                self._history.add(hit)

    def _planned(self) -> tuple[PlannedFault, ...]:
        return tuple(
            PlannedFault(
                id=f"fault-{number}",
                target=injection.target_kind.name_in(self._running.stack, injection.target),
                about=injection.fault.about,
            )
            for number, injection in enumerate(self._scenario.faults, start=1)
        )

    def _judge(self, reads: FinalReads, logs: TaskLogs) -> DrillResult:
        scenario = self._scenario
        drilled = next((run.run_id for run in reads.runs.values() if run.role is RunRole.DRILLED), "")
        history = self._history.so_far()
        case = Case(
            drilled_run=drilled,
            faults=self._planned(),
            outcomes=tuple(scenario.outcomes),
            run_limit_s=scenario.run_limit_s,
            recovery_limit_s=scenario.recovery_limit_s,
            adapters=self._running.stack.adapters,
            history=history,
            reads=reads,
        )
        judged = judge(case, scenario.promises)
        keep_evidence(self._directory, self._running, reads, logs, self._redaction)
        stack, runtime = self._running.stack.path, self._running.runtime
        return sum_up(
            scenario,
            judged,
            history,
            evidence=self._directory,
            seed=self._seed,
            again=drill_again(scenario.name, seed=self._seed, stack=stack, runtime=runtime),
            took_s=self._history.now_s,
        )

    def _trouble(self, cause: Exception) -> None:
        self._history.add(Trouble(what=str(cause)))


def _go_on_unless_cancelled(cause: Exception) -> None:
    """Keep a drill that is broken off from going on because lifting its fault had trouble, which comes in its place."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from cause


def _first(cause: Exception) -> Exception:
    while isinstance(cause, ExceptionGroup):
        cause = cause.exceptions[0]
    if not isinstance(cause, HarnessError | DeadlineExceeded):
        raise cause
    return cause
