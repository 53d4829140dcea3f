"""Waiting for a condition, never for a time: every wait has a deadline, and its error carries the evidence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import DeadlineExceeded

Found = TypeVar("Found")


def _no_evidence() -> str:
    return ""


async def until(
    condition: Callable[[], Found | None],
    *,
    what: str,
    deadline_s: float,
    poll_s: float = 0.05,
    evidence: Callable[[], str] = _no_evidence,
) -> Found:
    """Ask a condition again and again until it answers with something true.

    Args:
        condition: answers at once; anything falsy means "not yet".
        what: what is waited for, as the error will name it.
        deadline_s: seconds until the wait is given up.
        poll_s: seconds between two questions.
        evidence: gives the lines that explain a failure; asked only then.

    Raises:
        DeadlineExceeded: the condition was not met in time.
    """
    gives_up_at = time.monotonic() + deadline_s
    while True:
        if found := condition():
            return found
        if time.monotonic() >= gives_up_at:
            raise DeadlineExceeded(f"waited {deadline_s:g} s for {what}, in vain", evidence=evidence())
        await asyncio.sleep(poll_s)
