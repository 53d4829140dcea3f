"""The end of a run: what became of it is recorded, and people are told once when it is no success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trading.workflow.errors import RunFailed, SettingsInvalid
from trading.workflow.events import get_events
from trading.workflow.local_notes import LocalNotes
from trading.workflow.notes import Note, Notes
from trading.workflow.replay import replay
from trading.workflow.run_database import RunDatabase
from trading.workflow.run_notification import RunNotification, tell_once
from trading.workflow.run_records import (
    DATABASE_ERRORS,
    Outcome,
    Reason,
    RunRecord,
    failed_in_a_row,
    read_run,
    record_outcome,
)
from trading.workflow.schedule import read_schedule
from trading.workflow.settings import NotifySettings, WorkflowSettings, read_settings
from trading.workflow.task_context import TaskContext
from trading.workflow.task_run import TaskRun

log = get_events(__name__)

_REPLAY_S = 10.0
_FAILED = "failed"
_SKIPPED = "skipped"


def judge(notes: Sequence[Note], states: Mapping[str, str]) -> tuple[Outcome, tuple[Reason, ...]]:
    """Say what became of a run.

    Args:
        notes: what its tasks noted.
        states: the state of each task, by task.

    Returns:
        The outcome, and why it is not a success; of a skipped run, that it was skipped.
    """
    if states.get("preflight") == _SKIPPED:
        return Outcome.SUCCESS, (Reason(task="preflight", cause="skipped: the exchange is closed on that day"),)
    failed = [task for task, state in states.items() if state == _FAILED]
    explained = {note.task_id for note in notes if note.kind == _FAILED}
    # A "failed" note of a task that succeeded later, on its second try, is a degradation.
    reasons = [Reason(task=note.task_id, cause=note.cause) for note in notes]
    reasons += [
        Reason(task=task, cause="it failed without a word: killed, or stopped for taking too long")
        for task in failed
        if task not in explained
    ]
    if failed:
        return Outcome.FAILED, tuple(reasons)
    return (Outcome.DEGRADED if reasons else Outcome.SUCCESS), tuple(reasons)


async def finish(run: TaskRun, states: Mapping[str, str]) -> Outcome:
    """Replay the spool, record the outcome, and tell people when it is no success.

    Args:
        run: the last task.
        states: the state of each other task, by task.

    Raises:
        RunFailed: a task failed.
        RunDatabaseUnavailable, psycopg.Error: the outcome could not be recorded; people have been told all the same.
    """
    await _replay(run)
    execution_id = run.context.execution_id
    outcome, reasons = judge(await run.notes.read(), states)
    try:
        record = await record_outcome(run.database, execution_id, run.context.dag_id, outcome, reasons)
    except DATABASE_ERRORS:
        reasons = (*reasons, Reason(task=run.context.task_id, cause="the outcome could not be recorded"))
        await _tell(run, RunNotification(execution_id, outcome, reasons), None)
        raise
    log.info("run_ended", execution_id=execution_id, outcome=outcome, reasons=len(reasons))
    counted = run.local_notes.counted(execution_id) + run.storage.metrics
    log.info("run_artifact_metrics", execution_id=execution_id, **counted.values())
    if outcome is Outcome.FAILED:
        remark = await _stopped(run.database, run.context.dag_id)
        await _tell(run, RunNotification(execution_id, outcome, reasons, remark), record)
        failed = sorted(task for task, state in states.items() if state == _FAILED)
        raise RunFailed(f"run {execution_id} failed in {', '.join(failed)}")
    if outcome is Outcome.DEGRADED:
        await _tell(run, RunNotification(execution_id, outcome, reasons), record)
    return outcome


async def tell_unfinished(context: TaskContext, cause: str) -> None:
    """Record and tell of a run that failed, unless its last task has done so: it was killed, or could not.

    It needs no spool, which may be the very thing that the last task failed for.

    Args:
        context: the last task.
        cause: what is known about its end.
    """
    execution_id = context.execution_id
    try:
        settings = read_settings()
    except SettingsInvalid as invalid:
        # No task has done anything then, and nothing can be recorded.
        bare = NotifySettings()
        message = RunNotification(execution_id, Outcome.FAILED, (Reason(task=context.task_id, cause=str(invalid)),))
        return await tell_once(message, bare, LocalNotes(bare.artifact_spool_dir))
    return await _tell_recorded(settings, context, cause)


async def _tell_recorded(settings: WorkflowSettings, context: TaskContext, cause: str) -> None:
    execution_id, local = context.execution_id, LocalNotes(settings.artifact_spool_dir)
    async with RunDatabase(settings, budget_s=settings.database_retry_s) as database:
        record: RunRecord | None = None
        reasons: tuple[Reason, ...] = (Reason(task=context.task_id, cause=cause),)
        remark = ""
        try:
            record = await read_run(database, execution_id)
            if record is not None and record.notified_at is not None:
                return
            if record is not None and record.outcome is Outcome.FAILED:
                reasons = record.reasons
            else:
                notes = await Notes(database, local, execution_id).read()
                reasons = (*(Reason(task=note.task_id, cause=note.cause) for note in notes), *reasons)
                record = await record_outcome(database, execution_id, context.dag_id, Outcome.FAILED, reasons)
            remark = await _stopped(database, context.dag_id)
        except DATABASE_ERRORS as gone:
            log.warning("outcome_not_recorded", execution_id=execution_id, error=str(gone))
        message = RunNotification(execution_id, Outcome.FAILED, reasons, remark)
        await tell_once(message, settings, local, database, record)


async def _tell(run: TaskRun, message: RunNotification, record: RunRecord | None) -> None:
    await tell_once(message, run.settings, run.local_notes, run.database, record)


async def _replay(run: TaskRun) -> None:
    replayed = await replay(run.storage, budget_s=_REPLAY_S)
    if replayed.problem:
        await run.note("degraded", f"the spool could not be replayed: {replayed.problem}")
    if replayed.left:
        await run.note("degraded", f"{replayed.left} artifacts still wait in the spool")
    if replayed.dead:
        await run.note("degraded", f"{replayed.dead} artifacts were refused and lie in the dead letters")


async def _stopped(database: RunDatabase, dag_id: str) -> str:
    """Say that this failed run was one too many: Airflow pauses the DAG after so many in a row."""
    most = read_schedule().max_failed_runs
    try:
        failed = await failed_in_a_row(database, dag_id)
    except DATABASE_ERRORS:
        return ""
    if not most or failed < most:
        return ""
    log.error("workflow_stops", failed_in_a_row=failed, max_failed_runs=most)
    return (
        f"stopped: {failed} runs in a row have failed; at {most} (WORKFLOW_MAX_FAILED_RUNS) Airflow pauses {dag_id},"
        " and no run starts until the DAG is unpaused: mend the cause first"
    )
