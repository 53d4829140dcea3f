"""The case that a check judges: what was planned, what happened, and what the witnesses said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from harness.checks.finding import PlannedFault
from harness.history.events import DrillStarted, RunGivenUp
from harness.history.history import History
from harness.history.reads import ArtifactRow, BrokerOrder, FinalReads, OutcomeRow, RecordedOrder, RunRead
from harness.history.roles import RunRole
from harness.stack.adapters import Adapters

ArtifactKey = tuple[str | None, str, str | None, str]
"""Task, type, symbol and name of an artifact, with ``{run}`` in the place of its run: what it is in any run."""
Artifacts = Mapping[ArtifactKey, Sequence[ArtifactRow]]
RUN_ENDED = frozenset({"success", "failed"})
"""The states of a run that is over, in Airflow's words."""


@dataclass(frozen=True)
class Case:
    """Everything that a check may look at.

    Args:
        drilled_run: the id of the run under fault; empty when there was none.
        outcomes: how that run may end, by the system's own word; empty where anything may be.
        adapters: what of the stack can be asked, and how it is read.
        reads: the final reads.
        relied_on: for each witness, the promises that are judged and rely on it.
        work_is_judged: whether one of those is about what the system's work has left.
    """

    drilled_run: str
    faults: tuple[PlannedFault, ...]
    outcomes: tuple[str, ...]
    run_limit_s: float
    recovery_limit_s: float
    adapters: Adapters
    history: History
    reads: FinalReads
    relied_on: Mapping[str, Sequence[str]] = field(default_factory=dict)
    work_is_judged: bool = True

    def was_read(self, *witnesses: str) -> bool:
        """Whether all of these witnesses could be read; what another one would have told is empty, and says nothing."""
        return not any(witness in self.reads.unread for witness in witnesses)

    def word_of(self, run: RunRead) -> str | None:
        """How a run ended by the system's own word; by that of what runs it, where the system keeps none.

        None where it should have said something and has not.
        """
        if self.adapters.outcome is None:
            return run.state
        row = self.outcome_rows.get(run.run_id)
        return None if row is None else row.outcome

    def wall_at(self, at_s: float) -> datetime | None:
        """The wall time at a second of the drill."""
        return None if self._began is None else self._began + timedelta(seconds=at_s)

    @cached_property
    def _began(self) -> datetime | None:
        return next((datetime.fromisoformat(event.wall) for _, event in self.history.of(DrillStarted)), None)

    @cached_property
    def steady(self) -> RunRead | None:
        """The run without faults that went well: the oracle for all others. None when there was none."""
        steady = (run for run in self.reads.runs.values() if run.role is RunRole.STEADY)
        return next((run for run in steady if self.word_of(run) == "success"), None)

    @cached_property
    def drilled(self) -> RunRead | None:
        """The run under fault, if the drill got as far."""
        return self.reads.runs.get(self.drilled_run)

    @cached_property
    def outcome_rows(self) -> Mapping[str, OutcomeRow]:
        """What the system says of each run, by the run's id."""
        return {row.execution_id: row for row in self.reads.outcomes}

    @cached_property
    def known_runs(self) -> frozenset[str]:
        """The ids of the runs that there were, those that the harness did not start among them."""
        return frozenset(self.reads.runs) | {run.run_id for run in self.reads.other_runs or ()}

    @cached_property
    def artifacts_by_run(self) -> Mapping[str | None, Artifacts]:
        """The artifacts, by the run that they bear, and by what they are."""
        runs: dict[str | None, dict[ArtifactKey, list[ArtifactRow]]] = {}
        for row in self.reads.artifacts:
            name = row.name.replace(row.execution_id, "{run}") if row.execution_id else row.name
            runs.setdefault(row.execution_id, {}).setdefault((row.task_id, row.type, row.symbol, name), []).append(row)
        return runs

    def artifacts_of(self, run: RunRead) -> Artifacts:
        """The artifacts of one run, by what they are."""
        return self.artifacts_by_run.get(run.run_id, {})

    @cached_property
    def ledger(self) -> Mapping[str, BrokerOrder]:
        """The orders that the broker had, by their references."""
        return {order.order_ref: order for order in self.reads.broker_orders}

    @cached_property
    def record(self) -> Mapping[str, RecordedOrder]:
        """The orders that the system recorded, by their references."""
        return {order.order_ref: order for order in self.reads.recorded_orders}

    @cached_property
    def cut_short(self) -> frozenset[str]:
        """The runs that the harness ended, or that were going on at the final reads.

        What such a run was just about to say or to record is no fault of it; what it did twice is.
        """
        going_on = {run.run_id for run in self.reads.runs.values() if run.state not in RUN_ENDED}
        return frozenset(going_on | {event.run for _, event in self.history.of(RunGivenUp)})
