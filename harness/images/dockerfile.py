"""What a Dockerfile takes from its context."""

from __future__ import annotations

import json
import re
import shlex

_CONTINUED = re.compile(r"\\[ \t]*\n(?:[ \t]*#[^\n]*\n)*")
_COPY = re.compile(r"^\s*(?:COPY|ADD)\s+(?P<rest>.+)$", re.IGNORECASE | re.MULTILINE)
_FLAG = re.compile(r"--[a-z-]+(?:=\S+)?\s+")
_FROM_ELSEWHERE = re.compile(r"--from=")
_EVERYTHING = "."


def copied_sources(text: str) -> tuple[str, ...]:
    """Give what its COPY and ADD lines take from the context, as patterns relative to it.

    Args:
        text: the Dockerfile's.

    Returns:
        Each once, in their order; ``.`` where a line takes everything, or names a variable that only the engine knows.
    """
    found: dict[str, None] = {}
    for line in _COPY.finditer(_CONTINUED.sub(" ", text)):
        rest = line["rest"].strip()
        flags = ""
        while flag := _FLAG.match(rest):
            flags += flag[0]
            rest = rest[flag.end() :]
        if _FROM_ELSEWHERE.search(flags):
            continue
        words = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
        for source in words[:-1]:
            if "://" not in source:
                found[_EVERYTHING if "$" in source else _relative(source)] = None
    return tuple(found)


def _relative(source: str) -> str:
    return source.removeprefix("./").strip("/") or _EVERYTHING
