"""The client of an OpenAI-compatible endpoint: one question, tried again within its deadline."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_before_delay, wait_random_exponential

from trading.workflow.analysis.prompt import Prompt
from trading.workflow.analysis.verdict import Verdict, read_verdict
from trading.workflow.artifact_answer import retry_after_s
from trading.workflow.causes import cause_of, words_of
from trading.workflow.errors import AnalysisUnavailable, AnalysisUnusable
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.settings import WorkflowSettings

log = get_events(__name__)

CONNECT_S = 3.0
# An answer has some thousand bytes; one that never ends must not fill the memory before the deadline.
ANSWER_MAX_BYTES = 256 * 1024
_AT_ONCE = 4
_SHOWN_BYTES = 200
_SECRET_MIN_CHARACTERS = 12

_full_jitter = wait_random_exponential(multiplier=0.5, max=4)
_RETRIED_STATUS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said.

    Args:
        verdict: what it means.
        text: its own words.
    """

    verdict: Verdict
    text: str


def _next_wait_s(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, AnalysisUnavailable) else None
    return max(_full_jitter(state), asked_s or 0.0)


class AnalysisEndpoint:
    """A pooled client of the endpoint; use it as an asynchronous context manager, one for a task.

    Args:
        base_url: what `/chat/completions` is appended to.
        settings: the model, the key, and the deadline of one question.
    """

    def __init__(self, base_url: str, settings: WorkflowSettings) -> None:
        self._model = settings.llm_model
        self._key = settings.llm_api_key.get_secret_value()
        self._deadline_s = settings.llm_deadline_s
        url = base_url.rstrip("/")
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            base_url=url,
            # Half of the deadline, so that an attempt that meets silence leaves time for another one. Waiting for a
            # free connection is no attempt yet.
            timeout=httpx.Timeout(self._deadline_s / 2, connect=CONNECT_S, pool=None),
            limits=httpx.Limits(max_connections=_AT_ONCE),
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

    async def ask(self, prompt: Prompt) -> Answer:
        """Ask about a symbol, again and again while that may help and the deadline allows.

        Raises:
            AnalysisUnavailable: no answer came in time.
            AnalysisUnusable: an answer came that cannot be used.
        """
        started_s, number = time.monotonic(), 0
        answered: AnalysisUnavailable | None = None

        def failed(failure: AnalysisUnavailable | AnalysisUnusable, **about: float) -> None:
            elapsed_s, about_it = time.monotonic() - started_s, {"symbol": prompt.symbol, **about}
            attempt_failed(
                log, "analysis", failure.cause, attempt=number, elapsed_s=elapsed_s, error=failure, **about_it
            )

        def before_sleep(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            assert isinstance(failure, AnalysisUnavailable), f"nothing else is tried again: {failure!r}"
            nonlocal answered
            answered = failure
            failed(failure, next_wait_s=round(state.upcoming_sleep, 3))

        attempts = AsyncRetrying(
            stop=stop_before_delay(self._deadline_s),
            wait=_next_wait_s,
            retry=retry_if_exception_type(AnalysisUnavailable),
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._deadline_s):
                async for attempt in attempts:
                    with attempt:
                        started_s, number = time.monotonic(), number + 1
                        return await self._attempt(prompt)
        except (AnalysisUnavailable, AnalysisUnusable) as failure:
            failed(failure)
            raise
        except TimeoutError as late:
            timeout = _out_of_time(answered, f"within {self._deadline_s:g} s in {number} attempts")
            failed(timeout)
            raise timeout from late
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(self, prompt: Prompt) -> Answer:
        request = self._client.build_request(
            "POST",
            "/chat/completions",
            content=prompt.request(self._model),
            # Packed, a few bytes could unfold to more than fits into memory.
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = self._without_key(await _read(response))
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise AnalysisUnavailable(cause_of(error), words_of(error)) from error
        _require_success(response, body)
        verdict, text = read_verdict(body, prompt.symbol)
        return Answer(verdict, text)

    def _without_key(self, body: bytes) -> bytes:
        # Some endpoints repeat the key that they refuse. A short one is a local server's placeholder, and any word.
        return body if len(self._key) < _SECRET_MIN_CHARACTERS else body.replace(self._key.encode(), b"***")


def _out_of_time(answered: AnalysisUnavailable | None, how_long: str) -> AnalysisUnavailable:
    """What went wrong when the deadline cut the last attempt short: what the one before met says more than that."""
    if answered is None or answered.cause == "timeout":
        return AnalysisUnavailable("timeout", f"no answer {how_long}")
    return AnalysisUnavailable(answered.cause, f"{answered}; no other answer {how_long}")


def _require_success(response: httpx.Response, body: bytes) -> None:
    if response.is_success:
        return
    status = response.status_code
    words = f"answer {status}: {body[:_SHOWN_BYTES].decode(errors='replace')!a}"
    if response.is_server_error or status in _RETRIED_STATUS:
        cause = "http_5xx" if response.is_server_error else f"http_{status}"
        raise AnalysisUnavailable(cause, words, retry_after_s=retry_after_s(response))
    raise AnalysisUnusable(f"http_{status}", words)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            raise AnalysisUnusable("bad_answer", f"the answer is longer than {ANSWER_MAX_BYTES} bytes")
    return bytes(body)
