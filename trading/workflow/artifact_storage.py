"""The client of the artifacts API: an artifact is stored once, in the backend now or in the spool for later."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from trading.workflow.artifact import Artifact
from trading.workflow.causes import cause_of, words_of
from trading.workflow.errors import ArtifactRejected, BackendUnavailable
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool, SpooledArtifact

log = get_events(__name__)

PATH = "/api/artifacts/"
CONNECT_S = 2.0
READ_S = 4.0
TOTAL_S = 15.0
# After one artifact had to be spooled, the next of the same task get one short try: a task must not wait 15 s for each.
DOWN_TOTAL_S = 3.0

_full_jitter = wait_random_exponential(multiplier=0.5, max=4)
_RETRIED_STATUS = frozenset({408, 425, 429})


class _Row(BaseModel):
    """As much of the stored row as tells that the answer is the row that was sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: int
    name: str
    type: str
    execution_id: str | None


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    type: str
    execution_id: str


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

    Use it as an asynchronous context manager, one for a task.

    Args:
        settings: where the backend is.
        spool: what takes an artifact that the backend cannot.
        total_s: seconds for one artifact, with all its attempts and waits.
    """

    def __init__(self, settings: WorkflowSettings, spool: Spool, *, total_s: float = TOTAL_S) -> None:
        url = str(settings.backend_api_url).rstrip("/")
        token = settings.artifact_api_token.get_secret_value()
        self.spool = spool
        self._total_s = total_s
        self._most_attempts = settings.artifact_attempts
        self._found_down = False
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
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
        await self._client.aclose()

    async def store(self, artifact: Artifact) -> Stored | Spooled:
        """Store an artifact in the backend, or in the spool when the backend cannot take it in time.

        Raises:
            ArtifactInvalid: the artifact is too large.
            ArtifactRejected: the backend will never take it; it lies in the dead letters.
            SpoolFull: neither can take it.
        """
        key, body = artifact.idempotency_key, artifact.body()
        started_s = time.monotonic()
        try:
            artifact_id = await self._attempts(key, body)
        except BackendUnavailable as down:
            self._found_down = True
            cause = f"{down.cause}: {down}"
            self.spool.add(key=key, execution_id=artifact.execution_id, name=artifact.name, body=body, cause=cause)
            log.warning("artifact_spooled", key=key, name=artifact.name, cause=down.cause, elapsed_s=_since(started_s))
            return Spooled(down.cause)
        except ArtifactRejected as rejected:
            dead = SpooledArtifact(0, key, artifact.execution_id, artifact.name, body, "")
            self.spool.bury(dead, str(rejected))
            log.error("artifact_rejected", key=key, name=artifact.name, error=str(rejected))  # noqa: TRY400 - raised on
            raise
        log.info("artifact_stored", key=key, name=artifact.name, id=artifact_id, elapsed_s=_since(started_s))
        return Stored(artifact_id)

    async def _attempts(self, key: str, body: str) -> int:
        total_s = DOWN_TOTAL_S if self._found_down else self._total_s
        attempts = AsyncRetrying(
            stop=stop_after_attempt(1 if self._found_down else self._most_attempts),
            wait=_next_wait_s,
            retry=retry_if_exception_type(BackendUnavailable),
            reraise=True,
        )
        started_s = attempt_started_s = time.monotonic()
        number = 0
        last: BackendUnavailable | None = None
        try:
            async with asyncio.timeout(total_s):
                async for attempt in attempts:
                    with attempt:
                        number = attempt.retry_state.attempt_number
                        attempt_started_s = time.monotonic()
                        try:
                            return await self.send(key, body)
                        except BackendUnavailable as failure:
                            last = failure
                            _log_failed(failure.cause, number, attempt_started_s, failure)
                            raise
        except TimeoutError as late:
            if last is None or attempt_started_s > started_s:
                _log_failed("timeout", number, attempt_started_s, f"no stored artifact within {total_s:g} s in all")
            raise BackendUnavailable("timeout", f"not stored within {total_s:g} s in {number} attempts") from late
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
        """
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            answer = await self._client.post(PATH, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise BackendUnavailable(cause_of(error), words_of(error)) from error
        if answer.status_code in _RETRIED_STATUS or answer.is_server_error:
            raise BackendUnavailable(
                "http_5xx" if answer.is_server_error else f"http_{answer.status_code}",
                f"answer {answer.status_code}: {answer.text[:200]}",
                retry_after_s=_retry_after_s(answer),
            )
        if answer.is_client_error:
            raise ArtifactRejected(f"the backend refused the artifact with {answer.status_code}: {answer.text[:500]}")
        try:
            row = _Row.model_validate_json(answer.content)
        except ValidationError as error:
            words = f"answer {answer.status_code} is not a stored artifact: {answer.text[:200]!r}"
            raise BackendUnavailable("bad_answer", words) from error
        sent = _Sent.model_validate_json(body)
        if not answer.is_success or (row.name, row.type, row.execution_id) != (sent.name, sent.type, sent.execution_id):
            raise BackendUnavailable("bad_answer", f"answer {answer.status_code} is another artifact: {row}")
        return row.id

    async def backend_problem(self, *, deadline_s: float) -> str:
        """Ask the backend whether it is ready; an empty answer means that it is.

        Args:
            deadline_s: seconds for the whole question.
        """
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._client.get("/health/ready")
        except (httpx.HTTPError, TimeoutError) as error:
            _log_failed(cause_of(error), 1, started_s, words_of(error))
            return f"{cause_of(error)}: {words_of(error)}"
        if answer.is_success:
            return ""
        _log_failed("http_5xx" if answer.is_server_error else "bad_answer", 1, started_s, answer.text[:200])
        return f"not ready, answer {answer.status_code}: {answer.text[:200]}"


def _log_failed(cause: str, attempt: int, started_s: float, error: Any) -> None:
    attempt_failed(log, "backend", cause, attempt=attempt, elapsed_s=_since(started_s), error=error)


def _since(started_s: float) -> float:
    return round(time.monotonic() - started_s, 3)


def _retry_after_s(answer: httpx.Response) -> float | None:
    # The header may also hold a date (RFC 9110, 10.2.3); none of our backends sends one, so it counts as absent.
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
