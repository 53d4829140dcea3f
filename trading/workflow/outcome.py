"""The end of a run: what became of it is recorded, and people are told once when it is no success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trading.workflow.errors import RunDatabaseUnavailable, RunFailed
from trading.workflow.events import get_events
from trading.workflow.notes import Note, read_notes
from trading.workflow.notify import notify
from trading.workflow.replay import replay
from trading.workflow.run_records import Outcome, Reason, RunRecord, record_notified, record_outcome
from trading.workflow.task_run import TaskRun

log = get_events(__name__)

_REPLAY_S = 10.0
_FAILED = frozenset({"failed"})


def judge(notes: Sequence[Note], states: Mapping[str, str]) -> tuple[Outcome, tuple[Reason, ...]]:
    """Say what became of a run.

    Args:
        notes: what its tasks noted.
        states: the state of each task, by task.

    Returns:
        The outcome, and why it is not a success.
    """
    failed = [task for task, state in states.items() if state in _FAILED]
    explained = {note.task_id for note in notes if note.kind == "failed"}
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
        RunDatabaseUnavailable: the outcome could not be recorded; people have been told all the same.
    """
    replayed = await replay(run.storage, budget_s=_REPLAY_S)
    if replayed.left:
        await run.note("degraded", f"{replayed.left} artifacts still wait in the spool")
    if replayed.dead:
        await run.note("degraded", f"{replayed.dead} artifacts were refused and lie in the dead letters")
    execution_id = run.context.execution_id
    outcome, reasons = judge(await read_notes(run.database, run.local_notes, execution_id), states)
    record: RunRecord | None = None
    try:
        record = await record_outcome(run.database, execution_id, run.context.dag_id, outcome, reasons)
    except RunDatabaseUnavailable:
        await _tell(
            run, outcome, (*reasons, Reason(task="finalize", cause="the outcome could not be recorded")), record
        )
        raise
    log.info("run_ended", execution_id=execution_id, outcome=outcome, reasons=len(reasons))
    if outcome is not Outcome.SUCCESS:
        await _tell(run, outcome, reasons, record)
    if outcome is Outcome.FAILED:
        failed = sorted(task for task, state in states.items() if state in _FAILED)
        raise RunFailed(f"run {execution_id} failed in {', '.join(failed)}")
    return outcome


async def _tell(run: TaskRun, outcome: Outcome, reasons: Sequence[Reason], record: RunRecord | None) -> None:
    execution_id = run.context.execution_id
    if (record is not None and record.notified_at is not None) or run.local_notes.is_notified(execution_id):
        return
    lines = [f"execution_id: {execution_id}", f"outcome: {outcome}", "reasons:"]
    lines += [f"- {reason.task}: {reason.cause}" for reason in reasons]
    title = f"Trading run {outcome}: {execution_id}"
    if not await notify(run.settings, title=title, body="\n".join(lines)):
        return
    if record is None:
        run.local_notes.set_notified(execution_id)
    else:
        await record_notified(run.database, execution_id)
