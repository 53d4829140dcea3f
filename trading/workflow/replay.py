"""Bringing what waits in the spool to the backend: in order, each artifact once, for a limited time."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.errors import ArtifactRejected, BackendUnavailable
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.spool import SpooledArtifact

log = get_events(__name__)

_FIRST_WAIT_S = 0.2
_WAIT_MAX_S = 1.0


@dataclass(frozen=True, slots=True)
class Replay:
    """What one replay did.

    Args:
        replayed: artifacts that the backend now has.
        dead: artifacts that the backend will never take.
        left: artifacts that still wait.
    """

    replayed: int
    dead: int
    left: int


async def replay(storage: ArtifactStorage, *, budget_s: float, patient: bool = True) -> Replay:
    """Send what waits to the backend.

    An artifact leaves the spool only after the backend has answered with its row. A crash in between sends it again,
    and the backend recognises it by its key.

    Args:
        storage: the client, and the spool behind it.
        budget_s: seconds at most.
        patient: whether to try again, within the budget, while the backend is down.
    """
    replayed = dead = attempt = 0
    ends_s = time.monotonic() + budget_s
    with storage.spool.replaying() as ours:
        while ours and time.monotonic() < ends_s:
            artifact = storage.spool.first()
            if artifact is None:
                break
            attempt += 1
            try:
                await _send(storage, artifact, ends_s=ends_s, attempt=attempt)
            except BackendUnavailable:
                if not patient:
                    break
                wait_s = random.uniform(_FIRST_WAIT_S / 2, min(_WAIT_MAX_S, _FIRST_WAIT_S * 2 ** min(attempt, 8)))  # noqa: S311 - jitter
                await asyncio.sleep(min(wait_s, max(0.0, ends_s - time.monotonic())))
            except ArtifactRejected as rejected:
                storage.spool.bury(artifact, str(rejected))
                log.error("artifact_dead", key=artifact.idempotency_key, name=artifact.name, error=str(rejected))  # noqa: TRY400 - its words say all
                dead += 1
            else:
                storage.spool.forget(artifact.seq)
                log.info("artifact_replayed", key=artifact.idempotency_key, name=artifact.name, seq=artifact.seq)
                replayed += 1
                attempt = 0
    left = len(storage.spool.waiting())
    if replayed or dead or left:
        log.info("spool_replayed", replayed=replayed, dead=dead, left=left, ours=ours)
    return Replay(replayed, dead, left)


async def _send(storage: ArtifactStorage, artifact: SpooledArtifact, *, ends_s: float, attempt: int) -> None:
    started_s = time.monotonic()
    try:
        async with asyncio.timeout(max(0.05, ends_s - started_s)):
            await storage.send(artifact.idempotency_key, artifact.body)
    except TimeoutError as late:
        failure = BackendUnavailable("timeout", "the time for the replay ended")
        _log_failed(failure, attempt, started_s)
        raise failure from late
    except BackendUnavailable as failure:
        _log_failed(failure, attempt, started_s)
        raise


def _log_failed(failure: BackendUnavailable, attempt: int, started_s: float) -> None:
    elapsed_s = time.monotonic() - started_s
    attempt_failed(log, "backend", failure.cause, attempt=attempt, elapsed_s=elapsed_s, error=failure)
