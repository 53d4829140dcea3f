"""How fast artifacts go into the spool, each on disk before the next, and how fast they come out of it to the backend.

What the disk itself allows is measured beside it: a file to which as much is appended and synced, again and again.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from benchmarks.storage_artifact import ARTIFACT
from benchmarks.storage_parts import running_storage
from harness.errors import HarnessError
from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.replay import replay
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

TURNS = 5
ARTIFACTS = 500
_REPLAY_S = 60.0
_MAX_BYTES = 64 * 1024 * 1024


async def measure_spool(bench: Bench) -> Sequence[Row]:
    """Fill a spool and replay it, and again; Postgres and backend are started alone, without the stack."""
    appends: list[float] = []
    syncs: list[float] = []
    replays: list[float] = []
    keys = (f"key-{number}" for number in itertools.count())
    async with running_storage() as parts:
        settings = WorkflowSettings.model_validate(
            {"backend_api_url": f"http://127.0.0.1:{parts.backend_port}", "database_url": parts.database_url}
        )
        with Spool(parts.folder / "spool", max_bytes=_MAX_BYTES) as spool:
            for turn in range(1, TURNS + 1):
                bench.progress.at_work(f"spool: {turn} of {TURNS} …")
                syncs.append(_rate(_append_and_sync(parts.folder / "bare")))
                appends.append(_rate(lambda: _add(spool, next(keys))))
                replays.append(await _replay(settings, spool))
    return [
        Row("artifacts spooled, each synced", tuple(appends), "/s", Aim("median", 200, at_least=True)),
        Row("the same bytes appended and synced", tuple(syncs), "/s"),
        Row(f"{ARTIFACTS} artifacts replayed", tuple(replays), "/s", Aim("median", 1000, at_least=True)),
    ]


def _rate(step: Callable[[], object]) -> float:
    began_s = time.monotonic()
    for _ in range(ARTIFACTS):
        step()
    return ARTIFACTS / (time.monotonic() - began_s)


def _add(spool: Spool, key: str) -> None:
    name, run = str(ARTIFACT["name"]), str(ARTIFACT["execution_id"])
    spool.add(key=key, execution_id=run, name=name, body=json.dumps(ARTIFACT), cause="refused")


def _append_and_sync(path: Path) -> Callable[[], None]:
    body = json.dumps(ARTIFACT).encode()

    def step() -> None:
        with path.open("ab", buffering=0) as file:
            file.write(body)
            os.fsync(file.fileno())

    return step


async def _replay(settings: WorkflowSettings, spool: Spool) -> float:
    async with ArtifactStorage(settings, spool) as storage:
        began_s = time.monotonic()
        done = await replay(storage, budget_s=_REPLAY_S)
        took_s = time.monotonic() - began_s
    if done.replayed != ARTIFACTS:
        raise HarnessError(f"{ARTIFACTS} artifacts should have been replayed, and it was {done}")
    return ARTIFACTS / took_s
