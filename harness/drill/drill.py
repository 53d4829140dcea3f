"""One drill, from a running stack to a verdict.

    reset → steady → faults (arm, run, on, off, healed) → heal (every link) → settle → reads → checks

However it goes, the faults are lifted; and what the witnesses say is read even when the harness had trouble, because
a lost artifact or a doubled order counts always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.drill.again import drill_again
from harness.drill.background import background_failures
from harness.drill.case_of import case_of, planned_faults
from harness.drill.clients import Clients, open_clients
from harness.drill.evidence import keep_evidence
from harness.drill.final_reads import operations_so_far, read_finally, read_operations, read_outcomes
from harness.drill.injector import Injector
from harness.drill.lasting_history import LastingHistory
from harness.drill.leaks import find_leaks
from harness.drill.log_marks import LogMarks
from harness.drill.log_watch import LogWatch
from harness.drill.observer import Observer, RunWatch
from harness.drill.phases import part_that_failed, phase
from harness.drill.record_watch import record_watched
from harness.drill.reset import reset
from harness.drill.stall_watch import StallWatch, looking
from harness.drill.steady_state import ended_well, links_answer, run_succeeds
from harness.drill.steady_window import SteadyWindow
from harness.drill.summing_up import sum_up
from harness.drill.traffic import Written, lines_that_hit
from harness.drill.unforeseen import what_failed, why_cancelled
from harness.drill.unjudged import judged_in_any_case, without_evidence
from harness.drill.usage import links_counted, measure_services
from harness.drill.workloads.choice import workload_of
from harness.drill.workloads.workload import TaskLogs, Workload
from harness.errors import HarnessError, NotSteady, UsageError
from harness.history.events import DrillStarted, FaultHit, Recovered, RunGivenUp, Trouble, Witness
from harness.history.history import Entry
from harness.history.measurements import EvidenceMissing
from harness.history.reads import FinalReads
from harness.history.roles import RunRole
from harness.report.redaction import Redaction
from harness.report.result import DrillResult
from harness.runtime.logs import size_of
from harness.runtime.running import RunningStack
from harness.scenario.model import Scenario
from harness.scenario.triggers import BeforeRun, OrderAtBroker
from harness.stack.probes import LogPromise
from harness.stack.secrets import telling

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

    Attributes:
        result: what it came to, also when it was broken off; None until it is judged.
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
        self._redaction = Redaction(running.stack.secrets.values())
        self.result: DrillResult | None = None
        with suppress(OSError):  # told with the verdict
            directory.mkdir(parents=True)
        probes = running.stack.adapters.probes.values()
        self._marks = LogMarks(running, {probe.log for probe in probes if isinstance(probe, LogPromise)})
        self._steady = SteadyWindow(running)
        self._log_sizes = {name: size_of(path) for name, path in running.logs.files().items()}
        self._listener = listener
        self._history = LastingHistory(directory / "history.jsonl", self._redaction, self._hear)
        self._began = datetime.now(UTC)
        self._injectors: list[Injector] = []
        self._over_at_s = 0.0
        self._reads, self._logs = _NOTHING_READ, TaskLogs()

    async def run(self) -> DrillResult:
        """Go through every phase, and judge.

        Raises:
            UsageError: the stack cannot be drilled as its file says, or the gateway serves a live account.
        """
        with self._history as history:
            wall = self._began.isoformat()
            history.add(
                DrillStarted(scenario=self._scenario.name, seed=self._seed, session=self._running.session_id, wall=wall)
            )
            self._running.notices.listener = history.add
            try:
                await self._go_through()
            except asyncio.CancelledError as cause:
                # What it has found already is told all the same.
                why = why_cancelled(cause)
                history.add(Trouble(what=f"the drill was broken off{f': {why}' if why else ''}"))
                self.result = self._judge()
                raise
            finally:
                self._running.notices.listener = None
            self.result = self._judge()
            return self.result

    async def _go_through(self) -> None:
        watches = StallWatch(self._history).look, LogWatch(self._running.logs, self._history).look
        try:
            async with looking(*watches), open_clients(self._running) as clients:
                with background_failures(lambda cause: self._trouble(cause, "in the background")):
                    await self._go(clients)
        except NotSteady:
            pass  # its phase says so
        except UsageError:
            raise
        except Exception as cause:  # noqa: BLE001 - what is not foreseen must not hide what was found
            _go_on_unless_cancelled(cause)
            self._trouble(cause)

    def _hear(self, entry: Entry) -> None:
        self._marks.hear(entry)
        self._steady.hear(entry)
        if self._listener is not None:
            self._listener(entry)

    async def _go(self, clients: Clients) -> None:
        observer = Observer(self._history, clients.gateway)
        workload = workload_of(self._running, clients, observer, tuple(self._scenario.workflow.symbols))
        with phase(self._history, "reset"):
            await reset(self._running, clients, self._scenario.broker)
            before = await read_operations(clients, self._running)
        with phase(self._history, "steady"):
            await workload.require_whole()
            await links_answer(self._running, self._history)
            await run_succeeds(workload, clients, self._running, self._history, self._scenario.run_limit_s)
            await measure_services(self._running, self._history, "steady")
        try:
            with phase(self._history, "faults"):
                orders = self._running.stack.adapters.orders
                async with record_watched(clients.database, orders.sql if orders else None, self._history):
                    await self._faults_and_run(observer, workload)
            with phase(self._history, "heal"):
                await links_answer(self._running, self._history)
            with phase(self._history, "settle"):
                await self._settle(clients, workload)
        except Exception as cause:  # noqa: BLE001 - the witnesses are heard all the same
            _go_on_unless_cancelled(cause)
            self._trouble(cause)
        with phase(self._history, "reads"):
            operations = operations_so_far(before, self._history.so_far())
            await measure_services(self._running, self._history, "recovered")
            self._reads = await read_finally(clients, self._running, workload, self._marks, operations)
            self._logs = await self._read_logs(workload)
            self._note_traffic(self._logs)
            logs = self._running.logs.files()
            leaks = find_leaks(telling(self._running.stack), logs, self._logs, self._reads, self._log_sizes)
            self._reads = replace(self._reads, leaks=leaks)

    async def _faults_and_run(self, observer: Observer, workload: Workload) -> None:
        scenario = self._scenario
        watch = workload.new(RunRole.DRILLED)
        began, over = asyncio.Event(), asyncio.Event()
        held: dict[str, str] = {}
        self._injectors = [
            Injector(planned.id, injection, self._running, observer, self._history, held)
            for planned, injection in zip(planned_faults(scenario, self._running.stack), scenario.faults, strict=True)
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
            async with links_counted(self._running, self._history, watch):
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
        self._over_at_s = self._history.now_s

    async def _settle(self, clients: Clients, workload: Workload) -> None:
        """Try fresh runs until one is as it should be: that is what being back to normal means."""
        if not self._scenario.faults:
            return
        # No fresh run can begin before the drilled one is over, which has a limit of its own.
        over_at_s, limit_s = self._over_at_s, self._scenario.recovery_limit_s
        while (left_s := over_at_s + limit_s - self._history.now_s) > 0:
            watch = workload.new(RunRole.RECOVERY)
            async with links_counted(self._running, self._history, watch):
                ended = await workload.go(watch, left_s)
            if not ended:
                await self._give_up(workload, watch)
            outcomes = await read_outcomes(clients, self._running)
            if ended_well(watch, outcomes, says_so=self._running.stack.adapters.outcome is not None):
                self._history.add(Recovered(took_s=self._history.now_s - over_at_s))
                return
            # A run that fails at once would else be tried again without end.
            await asyncio.sleep(_BETWEEN_RUNS_S)

    async def _give_up(self, workload: Workload, watch: RunWatch) -> None:
        """End a run that has not ended in time, for it would hold up the next one."""
        self._history.add(RunGivenUp(run=watch.run_id))
        if (airflow := self._running.stack.adapters.airflow) is not None:
            self._running.not_idle.add(airflow.tasks_run_in)
        await workload.give_up(watch)

    async def _read_logs(self, workload: Workload) -> TaskLogs:
        try:
            return await workload.logs_of_all()
        except HarnessError as cause:
            # What the witnesses have said stands, although what the tasks wrote cannot be read.
            self._history.add(EvidenceMissing(what=f"the logs of the tasks could not be read: {cause}"))
            return TaskLogs()

    def _note_traffic(self, logs: TaskLogs) -> None:
        traffic = self._running.stack.adapters.traffic
        for injector in self._injectors:
            log_files = {name: self._running.logs.of_service(name) for name in injector.effect.log_names}
            count = lines_that_hit(injector, traffic, Written(logs, log_files, self._began, self._steady))
            if count is not None and count.beyond:
                detail = f"lines that tell of it in the log of {', '.join(log_files)} ({count.told()})"
                hit = FaultHit(fault=injector.id, witness=Witness.SYSTEM, count=count.beyond, detail=detail)
                self._history.add(hit)

    def _judge(self) -> DrillResult:
        scenario, history = self._scenario, self._history.so_far()
        case = case_of(scenario, self._running.stack, history, self._reads)
        judged = judged_in_any_case(case, scenario.promises, folder=self._directory, redact=self._redaction)
        unkept = keep_evidence(self._directory, self._running, self._reads, self._logs, self._history, self._redaction)
        stack, runtime = self._running.stack.path, self._running.runtime
        result = sum_up(
            scenario,
            judged,
            history,
            case.adapters,
            evidence=self._directory,
            seed=self._seed,
            again=drill_again(
                scenario.name, seed=self._seed, stack=stack, runtime=runtime, project=self._running.project
            ),
            took_s=self._history.now_s,
        )
        return without_evidence(result, unkept) if unkept else result

    def _trouble(self, cause: Exception, part: str = "") -> None:
        part = part or part_that_failed(self._history.so_far())
        self._history.add(Trouble(what=what_failed(cause, part, folder=self._directory, redact=self._redaction)))


def _go_on_unless_cancelled(cause: Exception) -> None:
    """Keep a drill that is broken off from going on because lifting its fault had trouble, which comes in its place."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from cause
