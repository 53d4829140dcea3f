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
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome
from harness.runtime.local.toxiproxy_server import LocalPlace
from harness.runtime.session.process_tree import find_process
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.link_proxy import LinkProxy, LinkReplaced, ReplacedBecause
from harness.runtime.waiting import until
from tests.runtime.exchange import Saw, StartLink, exchange, server_pid

pytestmark = pytest.mark.anyio

LATENCY = Toxic("latency", "downstream", {"latency": 500})


async def leave_answer_unread(link: LinkProxy) -> asyncio.StreamWriter:
    """Ask for a large answer and read nothing of it, until it is stuck in the proxy."""
    _, writer = await asyncio.open_connection("127.0.0.1", link.address[1], limit=1024)
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
    pid = server_pid(link)

    started = time.monotonic()
    healed = await link.heal()
    after = await exchange(link.address[1])

    assert time.monotonic() - started < 2
    assert (healed.replaced, after.saw, after.took_s < 0.2) == (ReplacedBecause.HUNG, Saw.ANSWERED, True)
    assert [(each.link, each.reason) for each in replaced] == [(link.link, ReplacedBecause.HUNG)]
    assert server_pid(link) != pid
    assert find_process(pid) is None
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
    await link.add_toxic(Toxic("timeout", "upstream", {"timeout": 0}))
    started = time.monotonic()
    os.kill(server_pid(link), signal.SIGKILL)
    await until(lambda: replaced, what="the replacement", deadline_s=2, poll_s=0.005)
    # 0.1 s on an idle machine, with room for one whose cores are busy.
    assert time.monotonic() - started < 1
    assert replaced[0].reason is ReplacedBecause.DIED
    assert (await exchange(link.address[1])).saw is Saw.ANSWERED


async def test_dead_server_is_healed_without_waiting_for_the_supervisor(link: LinkProxy) -> None:
    """Healing a link whose server was killed in the same moment ends with a link that works."""
    os.kill(server_pid(link), signal.SIGKILL)
    await link.heal()
    assert (await exchange(link.address[1])).saw is Saw.ANSWERED


async def test_system_connections_are_known_over_a_replacement(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """Every connection is in the log with its client's port and a time within the exchange, over a replacement too."""
    before = time.monotonic()
    first = await exchange(link.address[1])
    between = time.monotonic()
    os.kill(server_pid(link), signal.SIGKILL)
    await until(lambda: replaced, what="the replacement", deadline_s=2)
    second = await exchange(link.address[1])
    await until(lambda: len(link.system_connections()) == 2, what="two connections in the log", deadline_s=2)
    opened = link.system_connections()
    assert [each.client_port for each in opened] == [first.client_port, second.client_port]
    assert before <= opened[0].at_mono_s <= between <= opened[1].at_mono_s
    assert link.system_connections(since_mono_s=between) == opened[1:]


async def test_link_probe_is_not_taken_for_the_system(link: LinkProxy) -> None:
    """What the harness itself opened on a link is no connection of the system, neither while open nor afterwards."""
    assert (await link.probe(b"hello")).outcome is ProbeOutcome.ANSWERED
    theirs = await exchange(link.address[1])
    await until(lambda: len(link._log.accepted) == 2, what="two connections in the log", deadline_s=2)
    assert [each.client_port for each in link.system_connections()] == [theirs.client_port]


async def test_open_connections_are_those_that_have_not_ended(link: LinkProxy) -> None:
    """A connection counts as open from its acceptance to its end, by its client's hand or by the proxy's."""
    await exchange(link.address[1])
    writers = [(await asyncio.open_connection(*link.address))[1] for _ in range(2)]
    ports = {writer.get_extra_info("sockname")[1] for writer in writers}
    await until(
        lambda: {each.client_port for each in link.open_system_connections()} == ports, what="both", deadline_s=2
    )
    writers.pop().close()
    await until(lambda: len(link.open_system_connections()) == 1, what="the end of one", deadline_s=2)
    await link.disable()
    await until(lambda: not link.open_system_connections(), what="the end of the other", deadline_s=2)
    writers.pop().close()


async def test_renewed_link_answers_without_toxics(link: LinkProxy, replaced: list[LinkReplaced]) -> None:
    """A link whose server is renewed has another one, in the same place, without toxics, and the reason is told."""
    await link.add_toxic(Toxic("timeout", "upstream", {"timeout": 0}))
    before = server_pid(link)
    assert (await link.renew()).replaced is ReplacedBecause.STUCK
    assert server_pid(link) != before
    assert [each.reason for each in replaced] == [ReplacedBecause.STUCK]
    assert (await exchange(link.address[1])).saw is Saw.ANSWERED


async def test_connection_without_a_server_is_not_open(session: Session, toxiproxy_server: Path) -> None:
    """A connection that the server behind the link does not take ends at once, though its client saw no refusal."""
    ports = session.ports
    place = LocalPlace(
        "workflow -> absent:1", ports.take(), ports.take(), ("127.0.0.1", ports.take()), toxiproxy_server, session
    )
    address = ("127.0.0.1", place.listen_port)
    absent = LinkProxy(place.link, address, place.start, log=session.directory / "absent.log")
    await absent.start()
    seen = await exchange(absent.address[1])
    await until(
        lambda: absent.system_connections() and not absent.open_system_connections(), what="its end", deadline_s=2
    )
    await absent.close()
    assert seen.saw in {Saw.ENDED, Saw.RESET}
    assert [each.client_port for each in absent.system_connections()] == [seen.client_port]
