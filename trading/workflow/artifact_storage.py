"""The client of the artifacts API: an artifact is stored once, in the backend now or in the spool for later."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Self

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from trading.workflow.artifact import Artifact
from trading.workflow.artifact_answer import read_sent, require_stored, stored_id
from trading.workflow.artifact_metrics import ArtifactMetrics
from trading.workflow.causes import cause_of, words_of
from trading.workflow.errors import ArtifactRejected, BackendUnavailable, ClientRefused
from trading.workflow.events import attempt_failed, get_events, redacted
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool, SpooledArtifact

log = get_events(__name__)

PATH = "/api/artifacts/"
CONNECT_S = 2.0
READ_S = 4.0
# After one artifact had to be spooled, the next of the same task get one short try: a task must not wait 15 s for each.
DOWN_TOTAL_S = 3.0
# Of the total: what is left of it is for the spool.
_ATTEMPTS_SHARE = 0.9
# Of the total: a backend that is silent is asked more than once.
_READ_SHARE = 0.3

_full_jitter = wait_random_exponential(multiplier=0.5, max=4)


@dataclass(frozen=True, slots=True)
class Stored:
    """The backend has the artifact.

    Args:
        artifact_id: the backend's number for it.
    """

    artifact_id: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """The spool has the artifact.

    Args:
        cause: why the backend has not.
    """

    cause: str


def _next_wait_s(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, BackendUnavailable) else None
    return max(_full_jitter(state), asked_s or 0.0)


class ArtifactStorage:
    """A pooled client of the artifacts API with a spool behind it.

    Use it as an asynchronous context manager, one for a task. At its end it logs what it counted.

    Args:
        settings: where the backend is, and how long one artifact may take.
        spool: what takes an artifact that the backend cannot.
    """

    def __init__(self, settings: WorkflowSettings, spool: Spool) -> None:
        url = str(settings.backend_api_url).rstrip("/")
        self.spool = spool
        self.metrics = ArtifactMetrics()
        self._token = settings.artifact_api_token.get_secret_value()
        self._total_s = settings.artifact_total_s
        self._most_attempts = settings.artifact_attempts
        self._found_down = False
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
            timeout=httpx.Timeout(min(READ_S, _READ_SHARE * self._total_s), connect=min(CONNECT_S, self._total_s)),
            trust_env=False,
            # Reading the machine's certificates takes 20 ms, which a plain http address need not pay.
            verify=ssl.create_default_context()
            if url.startswith("https:")
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log.info("artifact_metrics", **self.metrics.values())
        await self._client.aclose()

    async def store(self, artifact: Artifact) -> Stored | Spooled:
        """Store an artifact in the backend, or in the spool when the backend cannot take it in time.

        Raises:
            ArtifactInvalid: the artifact is too large.
            ArtifactRejected: the backend will never take it; it lies in the dead letters.
            ClientRefused: the backend takes nothing from this client; the artifact lies in the spool.
            SpoolFull: neither can take it.
        """
        key, body, started_s = artifact.idempotency_key, artifact.body(), time.monotonic()
        try:
            artifact_id = await self._attempts(key, body)
        except BackendUnavailable as down:
            self._found_down = True
            self._keep(artifact, body, f"{down.cause}: {down}")
            log.warning("artifact_spooled", key=key, name=artifact.name, cause=down.cause, elapsed_s=_since(started_s))
            return Spooled(down.cause)
        except ClientRefused as refused:
            self._keep(artifact, body, str(refused))
            log.error("artifact_rejected", key=key, name=artifact.name, error=str(refused))  # noqa: TRY400 - raised on
            raise
        except ArtifactRejected as rejected:
            self.bury(SpooledArtifact(0, key, artifact.execution_id, artifact.name, body, ""), rejected)
            raise
        self._found_down = False
        self.metrics.stored += 1
        log.info("artifact_stored", key=key, name=artifact.name, id=artifact_id, elapsed_s=_since(started_s))
        return Stored(artifact_id)

    def _keep(self, artifact: Artifact, body: str, cause: str) -> None:
        self.spool.add(
            key=artifact.idempotency_key,
            execution_id=artifact.execution_id,
            name=artifact.name,
            body=body,
            cause=cause,
        )
        self.metrics.spooled += 1

    def bury(self, artifact: SpooledArtifact, rejected: ArtifactRejected) -> None:
        """Put an artifact to the dead letters, and say so.

        Raises:
            SpoolFull: they cannot take it.
        """
        self.spool.bury(artifact, str(rejected))
        self.metrics.dead += 1
        log.error("artifact_rejected", key=artifact.idempotency_key, name=artifact.name, error=str(rejected))

    async def _attempts(self, key: str, body: str) -> int:
        total_s = _ATTEMPTS_SHARE * (min(DOWN_TOTAL_S, self._total_s) if self._found_down else self._total_s)
        started_s, number = time.monotonic(), 0

        def failed(failure: BackendUnavailable, **about: float) -> None:
            elapsed_s = time.monotonic() - started_s
            attempt_failed(
                log, "backend", failure.cause, attempt=number, elapsed_s=elapsed_s, error=failure, key=key, **about
            )

        def before_sleep(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            assert isinstance(failure, BackendUnavailable), f"nothing else is tried again: {failure!r}"
            self.metrics.retried += 1
            failed(failure, next_wait_s=round(state.upcoming_sleep, 3))

        attempts = AsyncRetrying(
            stop=stop_after_attempt(1 if self._found_down else self._most_attempts) | stop_before_delay(total_s),
            wait=_next_wait_s,
            retry=retry_if_exception_type(BackendUnavailable),
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            async with asyncio.timeout(total_s):
                async for attempt in attempts:
                    with attempt:
                        started_s, number = time.monotonic(), number + 1
                        return await self.send(key, body)
        except BackendUnavailable as failure:
            failed(failure)
            raise
        except TimeoutError as late:
            timeout = BackendUnavailable("timeout", f"not stored within {total_s:g} s in {number} attempts")
            failed(timeout)
            raise timeout from late
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def send(self, key: str, body: str) -> int:
        """Make one attempt.

        Args:
            key: the artifact's idempotency key.
            body: the request's body.

        Returns:
            The backend's number for the artifact.

        Raises:
            BackendUnavailable: it may work another time.
            ArtifactRejected: it will never work.
            ClientRefused: it will not work with this token or at this address.
        """
        sent = read_sent(key, body)
        answer = await self._post(PATH, body, {"Idempotency-Key": key})
        return stored_id(answer, sent, token=self._token)

    async def send_batch(self, artifacts: Sequence[SpooledArtifact]) -> None:
        """Make one attempt at several artifacts, of which the backend takes all or none.

        Raises:
            BackendUnavailable: it may work another time.
            ArtifactRejected: it will never work with all of these.
            ClientRefused: it will not work with this token or at this address, or there are no batches.
        """
        sent = [read_sent(each.idempotency_key, each.body) for each in artifacts]
        entries = (
            f'{{"idempotency_key":{json.dumps(each.idempotency_key)},"artifact":{each.body}}}' for each in artifacts
        )
        answer = await self._post(f"{PATH}batch", f'{{"artifacts":[{",".join(entries)}]}}', {})
        require_stored(answer, sent, token=self._token)

    async def _post(self, path: str, body: str, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return await self._client.post(
                path, content=body.encode(), headers={**headers, "Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            raise BackendUnavailable(cause_of(error), redacted(words_of(error))) from error

    async def backend_problem(self, *, deadline_s: float) -> str:
        """Ask the backend whether it is ready; an empty answer means that it is.

        Args:
            deadline_s: seconds for the whole question.
        """
        started_s = time.monotonic()

        def failed(cause: str, words: str) -> None:
            attempt_failed(log, "backend", cause, attempt=1, elapsed_s=_since(started_s), error=words)

        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._client.get("/health/ready")
        except (httpx.HTTPError, TimeoutError) as error:
            failed(cause_of(error), words_of(error))
            return f"{cause_of(error)}: {words_of(error)}"
        if answer.is_success:
            return ""
        failed("http_5xx" if answer.is_server_error else "bad_answer", answer.text[:200])
        return f"not ready, answer {answer.status_code}: {answer.text[:200]}"


def warm_up() -> None:
    """Load what httpx loads only for its first connection; the forks of this process are 0.2 s quicker with theirs."""
    for module in ("httpcore", "anyio._backends._asyncio", "tenacity.asyncio"):
        import_module(module)


def _since(started_s: float) -> float:
    return round(time.monotonic() - started_s, 3)
