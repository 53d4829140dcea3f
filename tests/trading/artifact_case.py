"""One artifact through the storage client, and what is left of it on this host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.trading.parts import Parts, task
from trading.workflow.artifact import Artifact
from trading.workflow.artifact_storage import ArtifactStorage, Spooled
from trading.workflow.errors import ArtifactRejected
from trading.workflow.replay import Replay, replay
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool, SpooledArtifact

End = Literal["stored", "spooled", "raised"]


@dataclass(frozen=True, slots=True)
class Case:
    """What became of an artifact at first.

    Args:
        end: of the client's work.
        cause: why it was spooled, or the error's words.
        elapsed_s: how long the task was held.
        waiting: what is in the spool.
        dead: the dead letters.
    """

    end: End
    cause: str
    elapsed_s: float
    waiting: list[SpooledArtifact]
    dead: list[SpooledArtifact]


def a_chart(run: str, name: str = "AAPL daily chart", *, size_bytes: int = 0) -> Artifact:
    """An artifact of a run, as large as is asked for."""
    return task(run).artifact(
        "chart", name, symbol="AAPL", image_path="a.png", chart_type="daily", chart_data={"padding": "x" * size_bytes}
    )


def settings_of(parts: Parts, folder: Path, **changes: object) -> WorkflowSettings:
    """The workflow's settings, without the environment, so that cases can go on side by side."""
    given: Mapping[str, object] = {
        "backend_api_url": parts.backend_url,
        "database_url": parts.database_url,
        "artifact_spool_dir": folder,
        **changes,
    }
    return WorkflowSettings.model_validate(given)


def spool_of(settings: WorkflowSettings) -> Spool:
    """The spool that the settings name."""
    return Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes)


def store(settings: WorkflowSettings, run: str, *, size_bytes: int = 0) -> Case:
    """Store one artifact as a task does."""
    artifact = a_chart(run, size_bytes=size_bytes)
    started_s = time.monotonic()
    end, cause = asyncio.run(_store(settings, artifact))
    elapsed_s = time.monotonic() - started_s
    with spool_of(settings) as spool:
        return Case(end, cause, elapsed_s, spool.waiting(), spool.dead())


async def _store(settings: WorkflowSettings, artifact: Artifact) -> tuple[End, str]:
    with spool_of(settings) as spool:
        async with ArtifactStorage(settings, spool) as storage:
            try:
                outcome = await storage.store(artifact)
            except ArtifactRejected as rejected:
                return "raised", str(rejected)
            return ("spooled", outcome.cause) if isinstance(outcome, Spooled) else ("stored", "")


def replay_all(settings: WorkflowSettings, *, budget_s: float = 5.0) -> Replay:
    """Replay the spool as the last task does."""

    async def work() -> Replay:
        with spool_of(settings) as spool:
            async with ArtifactStorage(settings, spool) as storage:
                return await replay(storage, budget_s=budget_s)

    return asyncio.run(work())
