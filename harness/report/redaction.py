"""Taking secrets out of everything that is written for others to read."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DSN_PASSWORD = re.compile(r"(?<=://)([^\s:/@]+):([^\s@/]+)@")


class Redaction:
    """Replaces each known secret, and the password in any address that has one.

    Args:
        secrets: the values that must not be written; very short ones would tear up ordinary words and are left out.
    """

    _SHORTEST = 6

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= self._SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub("***", text)
        return _DSN_PASSWORD.sub(r"\1:***@", text)
