"""What the harness itself opens on a link is never counted as the system's, however it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome
from harness.runtime.toxiproxy.link_probe import send_probe
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.runtime.toxiproxy.probe_ports import ProbePorts
from harness.runtime.waiting import until
from tests.runtime.exchange import exchange

pytestmark = pytest.mark.anyio
SILENT = Toxic("timeout", "upstream", {"timeout": 0})


async def accepted(link: LinkProxy, count: int) -> None:
    """Wait until the proxy has accepted so many connections, by its own log."""
    await until(lambda: len(link._log.accepted) == count, what="the log", deadline_s=5, poll_s=0.005)


async def test_probe_without_an_answer_is_not_counted_while_it_waits(link: LinkProxy) -> None:
    """A probe that hears nothing is known for the harness's from its first packet on, not only at its end."""
    await link.add_toxic(SILENT)
    probe = asyncio.create_task(link.probe(b"hello", timeout_s=30))
    await accepted(link, 1)
    assert link.system_connections() == ()
    assert link.open_system_connections() == ()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)


async def test_probe_that_is_broken_off_is_not_counted(link: LinkProxy) -> None:
    """A drill that is broken off in the middle of a probe leaves no connection that looks like the system's."""
    await link.add_toxic(SILENT)
    probe = asyncio.create_task(link.probe(b"hello", timeout_s=30))
    await accepted(link, 1)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    theirs = await exchange(link.address[1])
    await accepted(link, 2)
    assert [each.client_port for each in link.system_connections()] == [theirs.client_port]


def test_port_is_claimed_for_one_connection() -> None:
    """A port that the kernel gives to the system after a probe is the system's; one that came to nothing is free."""
    ports = ProbePorts()
    ports.claim(40_000)
    assert [ports.take(40_000), ports.take(40_000)] == [True, False]
    ports.claim(40_000)
    ports.release(40_000)
    assert not ports.take(40_000)


@pytest.fixture
async def mute_port() -> AsyncIterator[int]:
    """A port that accepts, and waits for a word that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_silence_is_no_answer(mute_port: int) -> None:
    """A port that accepts a connection and says nothing has not answered, in a protocol or without one."""
    seen = await send_probe(("127.0.0.1", mute_port), b"", 0.1)
    assert (seen.outcome, seen.connected) == (ProbeOutcome.SILENT, True)
