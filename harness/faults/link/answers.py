"""What faults of a server's answers share: from when in a connection's life they act."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from harness.faults.link.fault import HitWhen, LinkFault
from harness.faults.toxic import WITNESS, Toxic

# Of these the witness knows when a connection's own handshake is over.
_WITH_A_HANDSHAKE = frozenset({"postgres", "tws", "tls"})


class AnswerFault(LinkFault):
    """A fault of a server's answers: of connections that are open already, and of new ones.

    Args:
        after: what a connection must have behind it: its protocol's handshake, or no more than that it was accepted;
            left out, the handshake where the link's protocol has one that is known (Postgres, TWS, TLS).
        after_bytes: only what the server says beyond so many bytes, counted from when the fault came.
        at_answer: only the answer of this number and those that follow it, counted likewise, for each connection.
    """

    after: Literal["connect", "handshake"] | None = None
    after_bytes: int | None = Field(default=None, ge=1, le=1_000_000_000)
    at_answer: int | None = Field(default=None, ge=1, le=1_000_000)

    ACTION: ClassVar[str]
    HIT_WHEN: ClassVar[HitWhen]

    @model_validator(mode="after")
    def _one_count(self) -> AnswerFault:
        if self.after_bytes is not None and self.at_answer is not None:
            raise ValueError("either bytes are counted or answers are: write one of 'after_bytes' and 'at_answer'")
        return self

    def spares_greeting(self, protocol: str) -> bool:
        """Whether a probe, which says no more than a greeting, goes through unharmed over a link in that protocol."""
        return self._after_handshake(protocol) or self.after_bytes is not None or (self.at_answer or 1) > 1

    def told_witness(self, protocol: str) -> Toxic:
        """What the witness of a link in that protocol is told."""
        counted = "bytes" if self.after_bytes else "answers" if self.at_answer else ""
        attributes: dict[str, int | str] = {
            "action": self.ACTION,
            "after": "handshake" if self._after_handshake(protocol) else "",
            "counted": counted,
            "count": self.after_bytes or self.at_answer or 0,
        }
        return Toxic(type=WITNESS, stream="downstream", attributes=attributes | self._more())

    def _after_handshake(self, protocol: str) -> bool:
        return self.after != "connect" and protocol in _WITH_A_HANDSHAKE

    def _more(self) -> dict[str, int | str]:
        return {}
