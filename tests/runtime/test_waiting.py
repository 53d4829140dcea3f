"""A wait asks at once and again, takes conditions of both kinds, and says in the end why it was in vain."""

from __future__ import annotations

import pytest

from harness.errors import DeadlineExceeded
from harness.runtime.waiting import NotYet, until

pytestmark = pytest.mark.anyio


async def test_wait_gives_what_a_condition_finds() -> None:
    """A condition that answers at once is asked until its answer is something true."""
    answers = iter([None, "", "found"])
    assert await until(lambda: next(answers), what="it", deadline_s=5, poll_s=0) == "found"


async def test_wait_gives_what_an_awaited_condition_finds() -> None:
    """A condition that is awaited is asked in the same way."""
    answers = iter([0, 3])

    async def answer() -> int:
        return next(answers)

    assert await until(answer, what="it", deadline_s=5, poll_s=0) == 3


async def test_condition_is_asked_once_even_without_time() -> None:
    """What holds already is found without a deadline to spend."""
    assert await until(lambda: True, what="it", deadline_s=0)


async def test_wait_in_vain_gives_the_evidence() -> None:
    """The error names what was waited for, and carries what explains it."""
    with pytest.raises(DeadlineExceeded, match=r"^waited 0 s for it, in vain$") as raised:
        await until(lambda: False, what="it", deadline_s=0, evidence=lambda: "a log")
    assert raised.value.evidence == "a log"


async def test_wait_in_vain_gives_the_last_reason() -> None:
    """An error that means "not yet" ends no wait; the last one says why it was in vain."""
    reasons = iter(["first", "last\nwith more"])

    async def fails() -> bool:
        raise NotYet(next(reasons))

    with pytest.raises(DeadlineExceeded, match=r"^waited 0\.01 s for it, in vain: last$") as raised:
        await until(fails, what="it", deadline_s=0.01, poll_s=0.02, evidence=lambda: "a log")
    assert raised.value.evidence == "last\nwith more\na log"


async def test_other_errors_end_the_wait() -> None:
    """Only the named error means "not yet"."""
    answers = iter([OSError("refused")])

    def answer() -> bool:
        if (error := next(answers, None)) is not None:
            raise error
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await until(answer, what="it", deadline_s=5, poll_s=0, not_yet=OSError)
