"""A fault reaches what is in flight on connections that are open, and is counted by that: by no handshake, by no probe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.history.events import FaultHealed, FaultHit, FaultObserved
from harness.history.history import HistoryWriter
from harness.runtime.effects.effect import CannotBeDone
from harness.runtime.waiting import until
from tests.faults.speaking import LINK, Speaking, speaking
from tests.faults.test_injection import begin, injector_of

pytestmark = pytest.mark.anyio
SHAKING = ("postgres", "tws")
LATENCY = {"is": {"latency": {"delay_ms": 300}}}


@pytest.fixture(params=SHAKING)
async def shaking(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Speaking]:
    """A stack whose link has a handshake of its own."""
    async with speaking(request.param, tmp_path / "home") as stack:
        yield stack


@asynccontextmanager
async def under(stack: Speaking, history: HistoryWriter, fault: Mapping[str, object]) -> AsyncIterator[None]:
    """Have a fault on for as long as the block lasts; it was seen to be on, and healed afterwards."""
    run_over = asyncio.Event()
    target = {} if "service" in fault else {"link": LINK}
    life = begin(injector_of(stack.stack, history, **target, **fault, until="run-ended"), run_over)
    await _on(history, life)
    try:
        yield
    finally:
        run_over.set()
        await life
    so_far = history.so_far()
    seen = [event for _, event in so_far.of(FaultObserved)]
    assert seen
    assert all(event.as_expected for event in seen), seen
    assert len(list(so_far.of(FaultHealed))) == 1


async def _on(history: HistoryWriter, life: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        while not list(history.so_far().of(FaultObserved)) and not life.done():  # noqa: ASYNC110 - written by the life
            await asyncio.sleep(0.005)


def hits(history: HistoryWriter) -> int:
    """How often the fault hit the system."""
    return sum(event.count for _, event in history.so_far().of(FaultHit))


async def test_latency_reaches_the_answer(shaking: Speaking, history: HistoryWriter) -> None:
    """A connection that was open is late, a new one shakes hands as soon as ever and is late then; both are counted."""
    old = await shaking.connect()
    async with under(shaking, history, LATENCY):
        began_s = time.monotonic()
        assert await old.ask("one") == "answered"
        assert time.monotonic() - began_s >= 0.3
        began_s = time.monotonic()
        new = await shaking.connect()
        assert time.monotonic() - began_s < 0.3
        assert await new.ask("two") == "answered"
        assert time.monotonic() - began_s >= 0.3
    assert hits(history) == 2
    began_s = time.monotonic()
    assert await old.ask("three") == "answered"
    assert time.monotonic() - began_s < 0.3


async def test_latency_counts_no_handshake(shaking: Speaking, history: HistoryWriter) -> None:
    """A system that only connects under it, with another connection that is idle, was not hit."""
    await shaking.connect()
    async with under(shaking, history, LATENCY):
        new = await shaking.connect()
        new.take_leave()
    assert hits(history) == 0


async def test_answer_that_stands_still_to_the_end_is_a_hit(shaking: Speaking, history: HistoryWriter) -> None:
    """With a delay that is longer than the client's patience, the answer that it did not wait for counts."""
    old = await shaking.connect()
    async with under(shaking, history, {"is": {"latency": {"delay_ms": 32_000}}}):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await old.ask("one")
        assert shaking.done() == ["one"]
        old.take_leave()
        # Long enough that all of the connection is told of before the lift.
        shown = len(list(history.so_far().of(FaultObserved)))
        await until(lambda: len(list(history.so_far().of(FaultObserved))) > shown, what="another look", deadline_s=5)
    assert hits(history) == 1


async def test_answer_is_lost_after_the_work(shaking: Speaking, history: HistoryWriter) -> None:
    """On a connection that was open the work is done and its answer is a reset; a new one shakes hands first."""
    old = await shaking.connect()
    async with under(shaking, history, {"is": "answer-lost"}):
        assert await old.ask("one") == "ConnectionResetError"
        new = await shaking.connect()
        assert await new.ask("two") == "ConnectionResetError"
        assert shaking.done() == ["one", "two"]
    assert hits(history) == 2


async def test_answer_lost_counts_no_handshake(shaking: Speaking, history: HistoryWriter) -> None:
    """Connecting under it is no hit: nothing of the system's was lost."""
    async with under(shaking, history, {"is": "answer-lost"}):
        (await shaking.connect()).take_leave()
    assert hits(history) == 0


async def test_fault_at_the_nth_answer_spares_those_before(shaking: Speaking, history: HistoryWriter) -> None:
    """Answers before the one that is named come; from it on they are lost."""
    old = await shaking.connect()
    async with under(shaking, history, {"is": {"answer-lost": {"at_answer": 3}}}):
        assert [await old.ask(what) for what in "ab"] == ["answered"] * 2
        assert await old.ask("c") == "ConnectionResetError"
    assert hits(history) == 1
    assert shaking.done() == ["a", "b", "c"]


async def test_fault_after_bytes_spares_those_before(shaking: Speaking, history: HistoryWriter) -> None:
    """What the server says within so many bytes comes; the answer in which they are exceeded is cut in its middle."""
    old = await shaking.connect()
    async with under(shaking, history, {"is": {"answer-lost": {"after_bytes": 30}}}):
        assert await old.ask("a") == "answered"
        # The beginning of the answer may be read before the reset is met.
        assert await old.ask("b" * 100) in {"ConnectionResetError", "IncompleteReadError"}
    assert hits(history) == 1


async def test_fault_may_act_on_the_handshake_too(shaking: Speaking, history: HistoryWriter) -> None:
    """Told to act from the connection on, it delays the greeting, and the probe sees it."""
    fault = {"is": {"latency": {"delay_ms": 300, "after": "connect"}}}
    async with under(shaking, history, fault):
        began_s = time.monotonic()
        await shaking.connect()
        assert time.monotonic() - began_s >= 0.6
    assert hits(history) >= 2


@pytest.mark.parametrize(
    "fault",
    [{"is": "blackhole"}, {"is": "reset"}, {"service": "server", "is": "pause"}],
    ids=["hole", "reset", "pause"],
)
async def test_pooled_connection_proves_that_it_was_hit(
    shaking: Speaking, history: HistoryWriter, fault: Mapping[str, object]
) -> None:
    """What is said under the fault on a connection that was open, and comes to nothing, is a hit; no other is needed."""
    pool = [await shaking.connect() for _ in range(2)]
    assert await pool[0].ask("one") == "answered"
    async with under(shaking, history, fault):
        pool[0].say("two")
        await pool[0].writer.drain()
    assert hits(history) == 1


@pytest.mark.parametrize(
    "fault",
    [{"is": "blackhole"}, {"is": "reset"}, {"service": "server", "is": "pause"}],
    ids=["hole", "reset", "pause"],
)
async def test_idle_pool_is_not_hit(shaking: Speaking, history: HistoryWriter, fault: Mapping[str, object]) -> None:
    """A fault that nothing of the system's ran into counts no hit, though the harness's probes do run into it."""
    pool = [await shaking.connect() for _ in range(2)]
    assert await pool[0].ask("one") == "answered"
    async with under(shaking, history, fault):
        # Leaving is no request: no answer is owed.
        if shaking.kind == "postgres":
            pool[1].take_leave()
    assert hits(history) == 0


async def test_toxiproxy_without_a_witness_says_what_it_cannot(
    tmp_path: Path, history: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another Toxiproxy than ours cannot act behind a handshake, which is said; it counts connections where it can act."""
    monkeypatch.setattr("harness.runtime.toxiproxy.control.WITNESS", "unheard-of")
    async with speaking("postgres", tmp_path / "home") as stack:
        with pytest.raises(
            CannotBeDone, match="its Toxiproxy cannot: let the harness build its own, or write 'after: con"
        ):
            await begin(injector_of(stack.stack, history, link=LINK, **LATENCY, for_s=0.1))
        fault = {"is": {"latency": {"delay_ms": 300, "after": "connect"}}}
        async with under(stack, history, fault):
            await stack.connect()
        assert hits(history) == 1


async def test_counting_begins_with_the_connection_where_told(shaking: Speaking, history: HistoryWriter) -> None:
    """From the connection on, the answers of its handshake are counted too."""
    fault = {"is": {"answer-lost": {"after": "connect", "at_answer": 4}}}
    async with under(shaking, history, fault):
        client = await shaking.connect()
        assert [await client.ask(what) for what in "abc"][-1] == "ConnectionResetError"
    assert hits(history) == 1
