"""How the bytes of one connection over a link have moved, by the word of the witness in its Toxiproxy."""

from __future__ import annotations

from dataclasses import dataclass

from harness.runtime.toxiproxy.accepted import Accepted
from harness.validated import Answer


class Moved(Answer):
    """A line of the witness: all figures are of the whole connection until then.

    Args:
        connection: its number in its server, from 1.
        client: the address of its client.
        up_bytes: what the client has said, with how long ago it said the last of it, in milliseconds.
        down_bytes: what the server has said, likewise.
        waiting: whether the client has said something since the last answer began.
        late: answers that a fault has held up for its whole delay, or that stood still when it was lifted.
        lost: answers in whose place a fault has cut the connection.
    """

    connection: int
    client: str
    up_bytes: int
    up_age_ms: int
    down_bytes: int
    down_age_ms: int
    waiting: bool
    late: int
    lost: int


@dataclass(frozen=True, slots=True)
class LinkUse:
    """What is known of one connection now.

    Args:
        accepted: the connection.
        up_bytes: what its client has said.
        up_at_mono_s: when it said the last of it, in seconds of ``time.monotonic``.
        down_bytes: what its server has said.
        waiting: whether its client has said something since the last answer began.
        late: answers that a fault has held up.
        lost: answers in whose place a fault has cut the connection.
    """

    accepted: Accepted
    up_bytes: int
    up_at_mono_s: float
    down_bytes: int
    waiting: bool
    late: int
    lost: int

    @classmethod
    def of(cls, accepted: Accepted, moved: Moved, at_mono_s: float) -> LinkUse:
        """Take in a line that was read at a monotonic time in seconds."""
        return cls(
            accepted=accepted,
            up_bytes=moved.up_bytes,
            up_at_mono_s=at_mono_s - moved.up_age_ms / 1000,
            down_bytes=moved.down_bytes,
            waiting=moved.waiting,
            late=moved.late,
            lost=moved.lost,
        )

    def is_unanswered_since(self, since_mono_s: float) -> bool:
        """Whether its client has said something since then, and nothing has come back."""
        return self.waiting and self.up_at_mono_s >= since_mono_s

    def has_heard_nothing_since(self, since_mono_s: float) -> bool:
        """Whether it is not older than that, and nothing has come from its server."""
        return self.accepted.at_mono_s >= since_mono_s and not self.down_bytes
