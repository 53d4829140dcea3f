"""An engine whose networks are not this machine's, as a rootless one's or one in a virtual machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.fault import LinkFault
from harness.faults.link.reset import Reset
from harness.history.events import ProbeOutcome
from harness.runtime.docker import start_up
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.reach import is_on_this_machine
from harness.runtime.effects.registry import effect_of
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.link_probe import GREETINGS
from harness.runtime.waiting import until
from tests.runtime.docker.small_stack import open_small

pytestmark = [pytest.mark.docker, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.mark.parametrize(("address", "is_ours"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_gateway_of_this_machine_is_known(address: str, *, is_ours: bool) -> None:
    """192.0.2.0/24 is for examples: no machine has it."""
    assert is_on_this_machine(address) is is_ours


async def test_proxies_are_reached_where_they_are_published(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link's proxy is told what to do, and tried, through ports of loopback; probes are still no calls."""
    monkeypatch.setattr(start_up, "is_on_this_machine", lambda _: False)
    async with await Session.open() as session:
        running = await open_small(tmp_path / "small", session, engine)
        link = running.proxy(running.stack.link("client -> server"))
        assert link.address == running.link_address(running.stack.link("client -> server"))
        assert link.address[0] == "127.0.0.1"
        began_s = time.monotonic()
        assert (await link.probe(GREETINGS["http"])).outcome is ProbeOutcome.ANSWERED
        await until(lambda: link._greeted(began_s), what="the link probe in the log", deadline_s=5)
        assert link.system_connections(began_s) == ()
        await link.disable()
        # The forwarder accepts, and ends the connection when no server is behind it.
        assert (await link.probe(GREETINGS["http"])).outcome is not ProbeOutcome.ANSWERED
        await link.heal()
        assert (await link.probe(GREETINGS["http"])).outcome is ProbeOutcome.ANSWERED
        await running.close()


@pytest.mark.parametrize("fault", [Reset(), AnswerLost()], ids=lambda fault: fault.kind)
async def test_reset_is_proven_through_the_forwarder(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: LinkFault
) -> None:
    """The forwarder makes an orderly end of a reset: that is the proof there, and no proof without the fault."""
    monkeypatch.setattr(start_up, "is_on_this_machine", lambda _: False)
    async with await Session.open() as session:
        running = await open_small(tmp_path / "small", session, engine)
        effect = effect_of(fault, running, "client -> server")
        await effect.arm()
        assert not (await effect.observe()).as_expected
        await effect.put_on()
        observation = await effect.observe()
        assert (observation.saw, observation.as_expected) == ("a probe through the link was 'ended'", True)
        await effect.lift()
        assert (await effect.verify_healed()).as_expected
        await running.close()
