"""Attempts to connect where nothing listens are counted, the harness's own apart, and the refusal is the kernel's own."""

from __future__ import annotations

import pytest

from harness.history.events import ProbeOutcome
from harness.runtime.toxiproxy.attempts import Attempts
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.runtime.waiting import until
from tests.runtime.exchange import Saw, exchange

pytestmark = pytest.mark.anyio


def watching(link: LinkProxy) -> Attempts:
    """Watch a link, where this machine lets us see packets."""
    watched = link.watch_attempts(link.address[1])
    if watched is None:
        pytest.skip("needs the capability CAP_NET_RAW")
    return watched


async def test_refused_attempts_are_counted(link: LinkProxy) -> None:
    """Each attempt of the system's counts once, none of the harness's does, and both are refused."""
    attempts = watching(link)
    await link.disable()
    assert [(await exchange(link.address[1])).saw for _ in range(3)] == [Saw.REFUSED] * 3
    assert (await link.probe(b"hello")).outcome is ProbeOutcome.REFUSED
    await until(lambda: len(attempts._seen) >= 4, what="every packet", deadline_s=2, poll_s=0.005)
    assert attempts.since(0) == 3, attempts._seen
    attempts.close()


async def test_attempts_elsewhere_are_not_counted(link: LinkProxy) -> None:
    """What goes to another port, or is no attempt, is none of this link's."""
    attempts = watching(link)
    await exchange(1)
    seen = await exchange(link.address[1])
    await until(lambda: attempts._seen, what="the packet", deadline_s=2, poll_s=0.005)
    assert [each.port for each in attempts._seen.values()] == [seen.client_port]
    attempts.close()
