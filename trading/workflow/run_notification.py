"""One notification a run, when it is no success: its sender remembers it, so that no other task sends it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from trading.workflow.events import get_events
from trading.workflow.local_notes import LocalNotes
from trading.workflow.notify import notify
from trading.workflow.run_database import RunDatabase
from trading.workflow.run_records import DATABASE_ERRORS, Outcome, Reason, RunRecord, record_notified
from trading.workflow.settings import NotifySettings

log = get_events(__name__)


@dataclass(frozen=True, slots=True)
class RunNotification:
    """What people are told about a run.

    Args:
        execution_id: the run.
        outcome: what became of it.
        reasons: why it is no success.
        remark: a last line; empty for none.
    """

    execution_id: str
    outcome: Outcome
    reasons: Sequence[Reason]
    remark: str = ""

    @property
    def title(self) -> str:
        """One line."""
        return f"Trading run {self.outcome}: {self.execution_id}"

    @property
    def body(self) -> str:
        """The rest."""
        lines = [f"execution_id: {self.execution_id}", f"outcome: {self.outcome}", "reasons:"]
        lines += [f"- {reason.task}: {reason.cause}" for reason in self.reasons]
        return "\n".join([*lines, self.remark] if self.remark else lines)


async def tell_once(
    message: RunNotification,
    settings: NotifySettings,
    local: LocalNotes,
    database: RunDatabase | None = None,
    record: RunRecord | None = None,
) -> None:
    """Tell people about a run, unless they have been told; never raises because it could not be told or remembered.

    Args:
        message: what to tell.
        settings: whom to tell.
        local: where it is remembered when the database cannot take it.
        database: where it is remembered; None when it cannot be used.
        record: the run's, read just now; None when there is none.
    """
    if (record is not None and record.notified_at is not None) or _is_remembered(local, message.execution_id):
        return
    if await notify(settings, title=message.title, body=message.body):
        await _remember(message.execution_id, local, database if record is not None else None)


async def _remember(execution_id: str, local: LocalNotes, database: RunDatabase | None) -> None:
    if database is not None:
        try:
            await record_notified(database, execution_id)
        except DATABASE_ERRORS as gone:
            log.warning("notification_not_recorded", execution_id=execution_id, error=str(gone))
        else:
            return
    try:
        local.set_notified(execution_id)
    except (OSError, sqlite3.Error) as error:
        log.warning("notification_not_remembered", execution_id=execution_id, error=str(error))


def _is_remembered(local: LocalNotes, execution_id: str) -> bool:
    try:
        return local.is_notified(execution_id)
    except (OSError, sqlite3.Error) as error:
        # To be told twice is the smaller harm.
        log.warning("local_notes_unreadable", execution_id=execution_id, error=str(error))
        return False
