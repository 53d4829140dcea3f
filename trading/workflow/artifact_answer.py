"""What an answer of the artifacts API says: the artifact is stored, try again, or never."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from trading.workflow.errors import ArtifactRejected, BackendUnavailable, ClientRefused
from trading.workflow.events import redacted

_RETRIED_STATUS = frozenset({408, 425, 429})
# They say nothing of the artifact: no token, a wrong one, or no artifacts API at this address.
_CLIENT_STATUS = frozenset({401, 403, 404, 405, 407})
_WORDS_MAX = 300
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Sent(BaseModel):
    """As much of a request's body as tells whether an answer belongs to it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    type: str | None = None
    execution_id: str | None = None


class _Row(Sent):
    model_config = ConfigDict(strict=True)

    id: int


class _Entry(BaseModel):
    artifact: _Row


class _Rows(BaseModel):
    artifacts: list[_Entry]


M = TypeVar("M", bound=BaseModel)


def read_sent(key: str, body: str) -> Sent:
    """Read what is about to be sent.

    Raises:
        ArtifactRejected: the key fits into no header or the body is no JSON object, as only damage can make them.
    """
    if not _KEY.fullmatch(key):
        raise ArtifactRejected(f"the artifact's key cannot be sent: {key!r}")
    try:
        return Sent.model_validate_json(body)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        raise ArtifactRejected(f"the artifact cannot be decoded: {first['msg']}") from invalid


def stored_id(answer: httpx.Response, sent: Sent, *, token: str = "") -> int:
    """Find the backend's number for the artifact in the answer to its storing.

    Args:
        answer: read to its end.
        sent: what was to be stored.
        token: taken out of the answer's words, which go into logs and notifications.

    Raises:
        BackendUnavailable: it may work another time.
        ArtifactRejected: the backend will never take this artifact.
        ClientRefused: the backend takes nothing from this client.
    """
    row = _read(answer, _Row, token)
    _require_same(answer, [row], [sent])
    return row.id


def require_stored(answer: httpx.Response, sent: Sequence[Sent], *, token: str = "") -> None:
    """Require that the answer to the storing of a batch has the row of each artifact.

    Args:
        answer: read to its end.
        sent: what was to be stored.
        token: taken out of the answer's words.

    Raises:
        BackendUnavailable: it may work another time.
        ArtifactRejected: the backend will never take one of the artifacts.
        ClientRefused: the backend takes nothing from this client, or no batches.
    """
    _require_same(answer, [entry.artifact for entry in _read(answer, _Rows, token).artifacts], sent)


def _read(answer: httpx.Response, model: type[M], token: str) -> M:
    status, words = answer.status_code, _words(answer, token)
    if status in _RETRIED_STATUS or answer.is_server_error:
        cause = "http_5xx" if answer.is_server_error else f"http_{status}"
        asked_s = retry_after_s(answer)
        raise BackendUnavailable(cause, f"answer {status}: {words}", retry_after_s=asked_s, status=status)
    if status in _CLIENT_STATUS:
        raise ClientRefused(f"the backend refuses this client with {status}: {words}")
    if answer.is_client_error:
        raise ArtifactRejected(f"the backend refused the artifact with {status}: {words}")
    try:
        found = model.model_validate_json(answer.content)
    except ValidationError as error:
        said = f"answer {status} is not a stored artifact: {words!r}"
        raise BackendUnavailable("bad_answer", said, status=status) from error
    if not answer.is_success:
        raise BackendUnavailable("bad_answer", f"answer {status}: {words}", status=status)
    return found


def _require_same(answer: httpx.Response, rows: Sequence[Sent], sent: Sequence[Sent]) -> None:
    came, expected = ([(each.name, each.type, each.execution_id) for each in side] for side in (rows, sent))
    if came != expected:
        status = answer.status_code
        raise BackendUnavailable("bad_answer", f"answer {status} is another artifact: {came[:1]}", status=status)


def retry_after_s(answer: httpx.Response) -> float | None:
    """How many seconds the answer asks to wait; None when it does not, or not in the words of the standard.

    A date is counted from the answer's own Date, so that the two clocks need not agree.

    Source: RFC 9110, section 10.2.3.
    """
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    until = _date(value)
    if until is None:
        return None
    now = _date(answer.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _words(answer: httpx.Response, token: str) -> str:
    text = answer.text.replace(token, "***") if token else answer.text
    return redacted(" ".join(text[:_WORDS_MAX].split()))
