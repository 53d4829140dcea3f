"""Why an attempt at an outside party failed, as one word."""

from __future__ import annotations

import ssl

import httpx

_BY_TYPE: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (ssl.SSLError, "tls"),
    (httpx.TimeoutException, "timeout"),
    (TimeoutError, "timeout"),
    (httpx.RemoteProtocolError, "closed"),
    (httpx.ReadError, "reset"),
    (httpx.WriteError, "reset"),
    (ConnectionError, "lost"),
)

_DEPTH_MAX = 20

_BY_WORDS = (
    ("refused", "refused"),
    ("reset by peer", "reset"),
    ("broken pipe", "reset"),
    ("timeout", "timeout"),
    ("timed out", "timeout"),
    ("closed", "closed"),
)


def cause_of(error: BaseException) -> str:
    """Name the class of a failure: refused, reset, timeout, closed, lost, tls or unreachable.

    Libraries wrap the operating system's error in their own, so the chain of causes is looked through first, then the
    words of the message.
    """
    for seen in _chain(error):
        for kind, word in _BY_TYPE:
            if isinstance(seen, kind):
                return word
    words = str(error).lower()
    return next((cause for sign, cause in _BY_WORDS if sign in words), "unreachable")


def words_of(error: BaseException) -> str:
    """Give the words of the innermost error that has any: "Connection refused" rather than "all attempts failed"."""
    said = [str(seen) for seen in _chain(error) if str(seen)]
    return said[-1] if said else type(error).__name__


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < _DEPTH_MAX and (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    return chain
