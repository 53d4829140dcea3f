"""A Toxiproxy that hangs or dies is replaced, and no other link notices."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import sys
import termios
import time
from pathlib import Path

import pytest

from harness.errors import ControlHung
from harness.faults.toxic import Stream, Toxic
from harness.runtime.session import Session
from harness.runtime.survivors import look
from harness.runtime.toxiproxy.link_proxy import LinkProxy, LinkReplaced, ReplacedBecause
from harness.runtime.waiting import until
from tests.runtime.exchange import Saw, StartLink, exchange

pytestmark = pytest.mark.anyio

LATENCY = Toxic("latency", Stream.DOWNSTREAM, {"latency": 500})


async def leave_answer_unread(link: LinkProxy) -> asyncio.StreamWriter:
    """Ask for a large answer and read nothing of it, until it is stuck in the proxy."""
    _, writer = await asyncio.open_connection("127.0.0.1", link.place.listen_port, limit=1024)
    writer.write(b"large")
    await writer.drain()
    client: socket.socket = writer.get_extra_info("socket")
    waiting_bytes = [0]

    def is_stuck() -> bool:
        waiting_bytes.append(int.from_bytes(fcntl.ioctl(client, termios.FIONREAD, bytes(4)), sys.byteorder))
        return waiting_bytes[-1] == waiting_bytes[-2] > 0

    await until(is_stuck, what="both ends' buffers to be full", deadline_s=5, poll_s=0.1)
    return writer


async def test_toxic_under_an_unread_answer_hangs_the_control_api(link: LinkProxy) -> None:
    """The hang is real: removing latency under a large unread answer misses the deadline, and heal is not stopped."""
    await link.add_toxic(LATENCY)
    writer = await leave_answer_unread(link)
    with pytest.raises(ControlHung, match="did not remove the toxic latency_downstream within 1 s"):
        await link.remove_toxic(LATENCY)
    assert (await link.heal()).replaced is ReplacedBecause.HUNG
    writer.transport.abort()


async def test_hung_link_is_healed_within_two_seconds(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """Healing a link that hangs gives it a new server on the same port, and tells so."""
    await link.add_toxic(LATENCY)
    writer = await leave_answer_unread(link)
    pid = link.pid

    started = time.monotonic()
    healed = await link.heal()
    after = await exchange(link.place.listen_port)

    assert time.monotonic() - started < 2
    assert (healed.replaced, after.saw, after.took_s < 0.2) == (ReplacedBecause.HUNG, Saw.ANSWERED, True)
    assert [(each.link, each.reason) for each in replaced] == [(link.place.link, ReplacedBecause.HUNG)]
    assert link.pid != pid
    assert look(pid) is None
    writer.transport.abort()


async def test_hung_link_does_not_delay_another(start_link: StartLink) -> None:
    """While one link's control call hangs, another's toxics go on and off at once."""
    hung, other = await start_link("workflow -> backend:8000"), await start_link("workflow -> postgres:5432")
    await hung.add_toxic(LATENCY)
    writer = await leave_answer_unread(hung)
    healing = asyncio.create_task(hung.heal())

    started = time.monotonic()
    await other.add_toxic(LATENCY)
    await other.heal()
    assert time.monotonic() - started < 0.5

    assert not healing.done()
    assert (await healing).replaced is ReplacedBecause.HUNG
    writer.transport.abort()


async def test_killed_server_is_replaced_clean(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """A server that died is replaced by one on the same port without toxics, and the reason is told."""
    await link.add_toxic(Toxic("timeout", Stream.UPSTREAM, {"timeout": 0}))
    started = time.monotonic()
    os.kill(link.pid, signal.SIGKILL)
    await until(lambda: replaced, what="the replacement", deadline_s=2, poll_s=0.005)
    # 0.1 s on an idle machine, with room for one whose cores are busy.
    assert time.monotonic() - started < 1
    assert replaced[0].reason is ReplacedBecause.DIED
    assert (await exchange(link.place.listen_port)).saw is Saw.ANSWERED


async def test_dead_server_is_healed_without_waiting_for_the_supervisor(link: LinkProxy) -> None:
    """Healing a link whose server was killed in the same moment ends with a link that works."""
    os.kill(link.pid, signal.SIGKILL)
    await link.heal()
    assert (await exchange(link.place.listen_port)).saw is Saw.ANSWERED


async def test_accepted_connections_are_known_by_port_and_time(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """Every connection is in the log with its client's port and a time within the exchange, over a replacement too."""
    before = time.monotonic()
    first = await exchange(link.place.listen_port)
    between = time.monotonic()
    os.kill(link.pid, signal.SIGKILL)
    await until(lambda: replaced, what="the replacement", deadline_s=2)
    second = await exchange(link.place.listen_port)
    await until(lambda: len(link.accepted_connections()) == 2, what="two connections in the log", deadline_s=2)
    accepted = link.accepted_connections()
    assert [each.client_port for each in accepted] == [first.client_port, second.client_port]
    assert before <= accepted[0].at_mono_s <= between <= accepted[1].at_mono_s


async def test_counters_add_up_over_a_replacement(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """Bytes that were counted before a replacement are counted after it."""

    async def counted(size_bytes: int) -> None:
        gives_up_at = time.monotonic() + 2
        while (await link.counters()).sent_upstream_bytes != size_bytes:
            assert time.monotonic() < gives_up_at, await link.counters()

    await exchange(link.place.listen_port)
    await counted(5)
    os.kill(link.pid, signal.SIGKILL)
    await until(lambda: replaced, what="the replacement", deadline_s=2)
    await counted(5)
    await exchange(link.place.listen_port)
    await counted(10)


async def test_connection_without_a_server_is_told_apart(session: Session, toxiproxy_server: Path) -> None:
    """A connection that the server behind the link does not take is known as such: its client saw no refusal."""
    nobody = await LinkProxy.start(
        "workflow -> nobody:1",
        session=session,
        server=toxiproxy_server,
        listen_port=session.ports.take(),
        upstream=("127.0.0.1", session.ports.take()),
        log=session.directory / "nobody.log",
    )
    seen = await exchange(nobody.place.listen_port)
    await until(nobody.connections_without_server, what="the proxy's word that nobody listens", deadline_s=2)
    await nobody.close()
    assert seen.saw in {Saw.ENDED, Saw.RESET}
    assert [each.client_port for each in nobody.connections_without_server()] == [seen.client_port]
