"""One way to ask an HTTP API, with a deadline, and errors that say what was asked and what came."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import ValidationError

from harness.errors import DeadlineExceeded, HarnessError
from harness.validated import Answer

REQUEST_DEADLINE_S = 10.0
# Everything asked here is plain http on loopback; reading the machine's certificates would take 20 ms a client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_SHOWN_BYTES = 2000
Form = TypeVar("Form", bound=Answer)


class Unexpected(HarnessError):
    """An API gave another answer than the one expected. ``status`` is None when none came at all."""

    def __init__(self, message: str, *, status: int | None, evidence: str = "") -> None:
        super().__init__(message, evidence=evidence)
        self.status = status


async def ask(
    client: httpx.AsyncClient, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send a request and return its 2xx answer.

    Raises:
        Unexpected: no answer came, or one that is not 2xx.
        DeadlineExceeded: it did not come in time.
    """
    asked = f"{method} {client.base_url.join(path)}"
    try:
        response = await client.request(method, path, json=json, headers=headers)
    except httpx.TimeoutException as cause:
        raise DeadlineExceeded(f"{asked}: no answer within {client.timeout.read} s") from cause
    except httpx.HTTPError as cause:
        raise Unexpected(f"{asked}: {type(cause).__name__}: {cause}", status=None) from cause
    if not response.is_success:
        body = response.text[:_SHOWN_BYTES]
        raise Unexpected(
            f"{asked}: expected 2xx, got {response.status_code}", status=response.status_code, evidence=body
        )
    return response


async def ask_for(model: type[Form], client: httpx.AsyncClient, method: str, path: str, *, json: object = None) -> Form:
    """Send a request whose answer has a known form.

    Raises:
        Unexpected: as ``ask``, or the answer has another form.
    """
    response = await ask(client, method, path, json=json)
    try:
        return model.model_validate_json(response.content)
    except ValidationError as cause:
        asked = f"{method} {client.base_url.join(path)}"
        raise Unexpected(
            f"{asked}: the answer is not of the expected form ({cause.error_count()} differences)",
            status=response.status_code,
            evidence=response.text[:_SHOWN_BYTES],
        ) from cause


class HttpApi:
    """An HTTP API at ``url``; use it as an asynchronous context manager."""

    def __init__(self, url: str) -> None:
        self._client = open_client(url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def open_client(base_url: str) -> httpx.AsyncClient:
    """A client that speaks to a loopback address only through no proxy of the environment."""
    return httpx.AsyncClient(base_url=base_url, timeout=REQUEST_DEADLINE_S, trust_env=False, verify=_NO_TLS)
