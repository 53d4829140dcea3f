"""After recovery nothing is held back: the outbox is empty, nothing in it is dead, nothing lies stranded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight

NAME = "drained"
_SHOWN = 5


def drained(case: Case) -> Sequence[Finding]:
    """Look into the outbox that was read when everything was over."""
    outbox = case.reads.outbox
    if outbox is None:
        return []
    # What waits may still come; that it had not by then is a matter of time.
    return [
        *_found(outbox.waiting, "something still waits to be delivered", "the outbox is empty", Weight.LIVENESS),
        *_found(outbox.dead, "something will never be delivered", "there are no dead letters", Weight.SAFETY),
        *_found(outbox.stranded, "something is stranded", "nothing lies where nothing delivers it", Weight.SAFETY),
    ]


def _found(names: Sequence[str], title: str, expected: str, weight: Weight) -> Iterator[Finding]:
    if names:
        shown = ", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)
        found = f"{len(names)}: {shown}"
        yield Finding(
            check=NAME,
            weight=weight,
            title=title,
            expected=f"{expected} after recovery",
            found=found,
            see="reads.json: outbox",
        )


CHECK = Check(
    name=NAME,
    judge=drained,
    holds_when="after recovery the outbox is empty, with no dead letter, and nothing stranded on another host",
    witness="the outbox",
    needs=("outbox",),
    of_work=True,
    blind_to="an outbox that its own command does not list",
)
