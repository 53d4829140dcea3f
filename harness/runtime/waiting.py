"""Waiting for a condition, never for a time: every wait has a deadline, and its error carries the evidence."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

from harness.errors import DeadlineExceeded

Found = TypeVar("Found")


class NotYet(Exception):
    """What a condition raises that does not hold yet, with the reason."""


def _no_evidence() -> str:
    return ""


@overload
async def until(
    condition: Callable[[], Awaitable[Found | None]],
    *,
    what: str,
    deadline_s: float,
    poll_s: float = ...,
    not_yet: type[Exception] = ...,
    evidence: Callable[[], str] = ...,
) -> Found: ...


@overload
async def until(
    condition: Callable[[], Found | None],
    *,
    what: str,
    deadline_s: float,
    poll_s: float = ...,
    not_yet: type[Exception] = ...,
    evidence: Callable[[], str] = ...,
) -> Found: ...


async def until(
    condition: Callable[[], Awaitable[Found | None] | Found | None],
    *,
    what: str,
    deadline_s: float,
    poll_s: float = 0.05,
    not_yet: type[Exception] = NotYet,
    evidence: Callable[[], str] = _no_evidence,
) -> Found:
    """Ask a condition again and again until it answers with something true.

    Args:
        condition: answers at once, or is awaited; anything falsy means "not yet". One that is awaited has a deadline of
            its own: it is not broken off.
        what: what is waited for, as the error will name it.
        deadline_s: seconds until the wait is given up.
        poll_s: seconds between two questions.
        not_yet: an error of the condition that means "not yet", too; its last words are part of the error.
        evidence: gives the lines that explain a failure; asked only then.

    Raises:
        DeadlineExceeded: the condition was not met in time; the evidence begins with what ``not_yet`` said last.
    """
    gives_up_at = time.monotonic() + deadline_s
    while True:
        reason = ""
        try:
            answer = condition()
            found = await cast("Awaitable[Found | None]", answer) if inspect.isawaitable(answer) else answer
            if found:
                return found
        except not_yet as cause:
            reason = str(cause) or type(cause).__name__
        if time.monotonic() >= gives_up_at:
            raise DeadlineExceeded(
                f"waited {deadline_s:g} s for {what}, in vain{f': {reason.splitlines()[0]}' if reason else ''}",
                evidence="\n".join(filter(None, (reason, evidence()))),
            )
        await asyncio.sleep(poll_s)
