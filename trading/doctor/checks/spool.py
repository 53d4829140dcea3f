"""What waits in the spool of this machine, and what has died there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings
from trading.workflow.errors import SpoolBroken
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool, SpooledArtifact, other_hosts, spool_file

FIX = "set ARTIFACT_SPOOL_DIR to a folder on a local disk that the workflow may write to"
_COMMAND = "python -m trading.workflow.spool"


async def examine(at: Surroundings) -> Finding:
    """Count, and show the oldest."""
    settings = at.settings
    try:
        waiting, dead = await asyncio.to_thread(_contents, settings)
    except SpoolBroken as broken:
        return failed(str(broken), FIX)
    others = other_hosts(settings.artifact_spool_dir)
    said = f"{settings.artifact_spool_dir}: {len(waiting)} waiting, {len(dead)} dead letters"
    if others:
        said += f"; spools of other hosts: {', '.join(others)}"
    if dead:
        newest = f"{dead[-1].name}: {' '.join(dead[-1].reason.split())[:200]}"
        return failed(f"{said}; the last one: {newest}", f"see why: {_COMMAND} dead, then {_COMMAND} show KEY")
    if waiting:
        first = f"{waiting[0].name}, since {waiting[0].since}: {' '.join(waiting[0].reason.split())[:200]}"
        return warned(f"{said}; the first one: {first}", f"{_COMMAND} replay, or let the next run do it")
    return passed(said)


def _contents(settings: WorkflowSettings) -> tuple[Sequence[SpooledArtifact], Sequence[SpooledArtifact]]:
    # To look makes no file, which might belong to another user than the workflow's.
    if not spool_file(settings.artifact_spool_dir).exists():
        return (), ()
    with Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes) as spool:
        return spool.waiting(), spool.dead()
