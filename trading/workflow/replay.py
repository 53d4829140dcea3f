"""Bringing what waits in the spool to the backend: in order, each artifact once, for a limited time."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.errors import ArtifactRejected, BackendUnavailable, ClientRefused, SpoolBroken, SpoolFull
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.spool import SpooledArtifact

log = get_events(__name__)

_FIRST_WAIT_S = 0.2
_WAIT_MAX_S = 1.0
_OTHERS_POLL_S = 0.1
_ROUNDS_MAX = 3
_BATCH_MAX = 100
_BATCH_MAX_BYTES = 4 * 1024 * 1024
# Answers that say how the backend is, and nothing of the artifact.
_BACKEND_STATUS = frozenset({408, 425, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Replay:
    """What one replay did.

    Args:
        replayed: artifacts that the backend now has.
        dead: artifacts that the backend will never take.
        left: artifacts that still wait.
        problem: what ended the replay before its time; empty when nothing did.
    """

    replayed: int
    dead: int
    left: int
    problem: str = ""


async def replay(storage: ArtifactStorage, *, budget_s: float, patient: bool = True) -> Replay:
    """Send what waits to the backend.

    An artifact leaves the spool only after the backend has answered with its row. A crash in between sends it again,
    and the backend recognises it by its key.

    Args:
        storage: the client, and the spool behind it.
        budget_s: seconds at most.
        patient: whether to try again, within the budget, while the backend is down or another process replays.
    """
    sending = _Sending(storage, time.monotonic() + budget_s, patient=patient)
    left, problem = 0, ""
    try:
        await _alone(sending)
        left = storage.spool.waiting_count()
    except ClientRefused as refused:
        left, problem = storage.spool.waiting_count(), str(refused)
    except (SpoolBroken, SpoolFull) as broken:
        problem = str(broken)
    if problem:
        log.error("replay_stopped", error=problem)
    if sending.replayed or sending.dead or left:
        log.info("spool_replayed", replayed=sending.replayed, dead=sending.dead, left=left)
    return Replay(sending.replayed, sending.dead, left, problem)


async def _alone(sending: _Sending) -> None:
    """Send as the only process that does, as soon as no other does."""
    while True:
        with sending.storage.spool.replaying() as ours:
            if ours:
                return await sending.send_all()
        if not sending.patient or sending.left_s <= 0:
            return None
        await asyncio.sleep(_OTHERS_POLL_S)


class _Sending:
    """One replay at work.

    Args:
        storage: the client, and the spool behind it.
        ends_s: when to end, on the monotonic clock.
        patient: whether to try again.
    """

    def __init__(self, storage: ArtifactStorage, ends_s: float, *, patient: bool) -> None:
        self.storage = storage
        self.patient = patient
        self.replayed = 0
        self.dead = 0
        self._ends_s = ends_s
        self._attempt = 1
        self._one_by_one_to = 0

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return self._ends_s - time.monotonic()

    async def send_all(self) -> None:
        """Send in order; what alone is not taken lets that behind it pass, and has its turn again."""
        rounds, after = 1, 0
        while self.left_s > 0:
            artifacts = self._ahead(after)
            if not artifacts:
                if not after or not self.patient or rounds == _ROUNDS_MAX:
                    return
                rounds, after = rounds + 1, 0
                continue
            try:
                await self._send(artifacts)
            except ArtifactRejected as rejected:
                self._refused(artifacts, rejected)
            except BackendUnavailable as failure:
                alone = failure.status is not None and failure.status not in _BACKEND_STATUS
                if not alone and not self.patient:
                    return
                if len(artifacts) > 1:
                    # It may have been too much at once.
                    self._one_by_one_to = artifacts[-1].seq
                elif alone:
                    after = artifacts[0].seq
            else:
                self._forget(artifacts)

    def _ahead(self, after: int) -> list[SpooledArtifact]:
        """Read what is next: a batch, or one artifact where a batch was refused."""
        spool = self.storage.spool
        first = spool.ahead(after=after)
        if not first or first[0].seq <= self._one_by_one_to:
            return first
        return spool.ahead(after=after, count=_BATCH_MAX, max_bytes=_BATCH_MAX_BYTES)

    def _refused(self, artifacts: list[SpooledArtifact], rejected: ArtifactRejected) -> None:
        if len(artifacts) > 1:
            # One of them is at fault, or there are no batches.
            self._one_by_one_to = artifacts[-1].seq
        elif isinstance(rejected, ClientRefused):
            raise rejected
        else:
            self.storage.bury(artifacts[0], rejected)
            self.dead += 1

    def _forget(self, artifacts: list[SpooledArtifact]) -> None:
        self.storage.spool.forget(artifacts)
        self.storage.metrics.replayed += len(artifacts)
        self.replayed += len(artifacts)
        self._attempt = 1
        for artifact in artifacts:
            log.info("artifact_replayed", key=artifact.idempotency_key, name=artifact.name, seq=artifact.seq)

    async def _send(self, artifacts: list[SpooledArtifact]) -> None:
        """Make one attempt; when it fails, wait before the error goes on, so that the next one comes in its time."""
        started_s = time.monotonic()
        first = artifacts[0]
        try:
            async with asyncio.timeout(max(0.05, self.left_s)):
                if len(artifacts) > 1:
                    await self.storage.send_batch(artifacts)
                else:
                    await self.storage.send(first.idempotency_key, first.body)
        except (BackendUnavailable, TimeoutError) as failed:
            late = BackendUnavailable("timeout", "the time for the replay ended")
            failure = failed if isinstance(failed, BackendUnavailable) else late
            wait_s = self._next_wait_s(failure) if self.patient else 0.0
            attempt_failed(
                log,
                "backend",
                failure.cause,
                attempt=self._attempt,
                elapsed_s=time.monotonic() - started_s,
                error=failure,
                key=first.idempotency_key,
                count=len(artifacts),
                next_wait_s=round(wait_s, 3),
            )
            self._attempt += 1
            self.storage.metrics.retried += self.patient
            await asyncio.sleep(wait_s)
            raise failure from failed

    def _next_wait_s(self, failure: BackendUnavailable) -> float:
        jitter_s = random.uniform(_FIRST_WAIT_S / 2, min(_WAIT_MAX_S, _FIRST_WAIT_S * 2 ** min(self._attempt, 8)))  # noqa: S311 - not a secret
        return min(max(jitter_s, failure.retry_after_s or 0.0), max(0.0, self.left_s))
