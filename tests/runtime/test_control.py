"""Control calls: a deadline on each, and no error that passes for success."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from harness.errors import ControlHung, HarnessError
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.control import Control

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def answering(session: Session, answer: bytes | None) -> AsyncIterator[int]:
    """Run an HTTP server that gives every request the same answer, or none before the end of the block."""
    over = asyncio.Event()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        if answer is None:
            await over.wait()
        else:
            writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    port = session.ports.take()
    server = await asyncio.start_server(begin, "127.0.0.1", port)
    try:
        yield port
    finally:
        over.set()
        server.close()
        if serving:
            await asyncio.wait(serving, timeout=2)


async def test_silence_misses_the_deadline(session: Session) -> None:
    """A server that accepts and never answers is given up at the deadline, by the name of its link and its port."""
    async with answering(session, None) as port:
        control = Control("backend", port, deadline_s=0.2)
        started = time.monotonic()
        with pytest.raises(ControlHung, match=rf"backend \(port {port}\) did not say its version within 0.2 s"):
            await control.version()
        assert 0.2 <= time.monotonic() - started < 0.7


async def test_silence_of_one_does_not_delay_another(session: Session) -> None:
    """Ten servers that never answer are given up at the same time, not one after the other."""
    async with answering(session, None) as port:
        started = time.monotonic()
        calls = [Control(f"link-{number}", port, deadline_s=0.3).version() for number in range(10)]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(failure, ControlHung) for failure in failures)
        assert time.monotonic() - started < 1


async def test_server_error_is_an_error(session: Session) -> None:
    """A 500, which the library lets pass, is an error with the server's own words."""
    answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwrong"
    async with answering(session, answer) as port:
        with pytest.raises(HarnessError, match="could not say its version: status 500: wrong"):
            await Control("link", port).version()


async def test_absent_server_is_an_error(session: Session) -> None:
    """A control port on which no process listens is an error at once, not a hang."""
    with pytest.raises(HarnessError, match="Connection refused") as raised:
        await Control("link", session.ports.take()).version()
    assert not isinstance(raised.value, ControlHung)


async def test_proxy_of_the_environment_is_not_used(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web proxy that the environment names does not come between the harness and loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    async with answering(session, answer) as port:
        assert await Control("link", port).version() == "ok"
