"""Log lines that people and machines can read: an event's name, then what belongs to it as key=value."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = (
    (re.compile(r"://[^/@\s]+@"), "://***@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+"), r"\1 ***"),
    (re.compile(r"(?i)([?&](?:[a-z_-]*token|api[_-]?key|key|password|secret)=)[^&#\s\"']+"), r"\1***"),
)

_logfmt = structlog.processors.LogfmtRenderer(sort_keys=False, bool_as_flag=False)


def redacted(text: str) -> str:
    """Take out what looks like a secret: a password in an address, a token in a header or in a query."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        key: value if value is None or isinstance(value, bool | int | float) else redacted(str(value))
        for key, value in event.items()
    }


def _render(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    name = event.pop("event")
    return f"{name} {_logfmt(logger, method, event)}".rstrip()


def get_events(name: str) -> Any:
    """Get a logger whose methods take an event's name and its values.

    The line goes through the standard library's logging, so it arrives wherever the process's logs go: in a task's log
    when Airflow runs it. It does not depend on structlog's global configuration, which belongs to Airflow there.

    Args:
        name: the logger's name, as in `__name__`.
    """
    return structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.filter_by_level, _redact, _render],
    )


def attempt_failed(
    log: Any, target: str, cause: str, *, attempt: int, elapsed_s: float, error: object, **about: object
) -> None:
    """Log that one attempt at an outside party failed.

    Args:
        log: from `get_events`.
        target: backend, gateway, analysis, postgres or notifications.
        cause: the failure's class, one word.
        attempt: counted from 1.
        elapsed_s: how long the attempt took.
        error: the failure's own words.
        about: further values: what was attempted, and how long it is until the next attempt.
    """
    words = " ".join(str(error).split()) or type(error).__name__
    log.warning(
        "attempt_failed",
        target=target,
        cause=cause,
        attempt=attempt,
        elapsed_s=round(elapsed_s, 3),
        error=words,
        **about,
    )
