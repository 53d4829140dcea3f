"""Byte streams that no client should send: the gateway neither dies nor hangs, and no other client notices."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from fixtures.ibkr_gateway.ledger import DEFAULT_LIMIT_BYTES
from fixtures.ibkr_gateway.protocol.catalogue import REQUESTS
from tests.ibkr_gateway.damaged_streams import Stream, random_stream, sweep
from tests.ibkr_gateway.mutated_sessions import mutated_stream
from tests.ibkr_gateway.stub import CLOCK, READY_S, Stub, ib_insync, start

pytestmark = pytest.mark.sweep
SEED = 20261120
STREAMS = 10_000
BATCH = 1_000
AT_ONCE = 16
# Of five libraries, which take turns.
SESSIONS = 20_000
FEW_SESSIONS = 500
SESSIONS_AT_A_TIME = 250
# Twice the ledger's own limit: what is no message is recorded whole behind it, too.
LEDGER_BYTES_MAX = 2 * DEFAULT_LIMIT_BYTES
ANSWER_S = 10.0
WATCH_S = 0.02
SHOWN_LINES = 60
GROWTH_BYTES = 32 * 1024 * 1024
# How the gateway tells of an exception that it did not expect; IB's own refusals name a message in quotes there.
DEFECT = re.compile(rb"\x00322\x00Error processing request\.-[^']")


@pytest.fixture
def besieged(new_ledger: Path) -> Iterator[Stub]:
    """A gateway of the test's own; its end fails if its log holds a traceback."""
    stub = start(new_ledger, "--clock", CLOCK)
    assert stub.process.stdout is not None
    log: list[str] = []
    # Unread, a long log would fill the pipe and stop the gateway.
    listener = threading.Thread(target=log.extend, args=(stub.process.stdout,))
    listener.start()
    yield stub
    stub.control.close()
    stub.process.terminate()
    stub.process.wait(READY_S)
    listener.join(READY_S)
    stub.process.stdout.close()
    assert not any("Traceback" in line for line in log), "".join(log[:SHOWN_LINES])


def test_no_field_of_any_request_brings_the_gateway_down(besieged: Stub, loop: asyncio.AbstractEventLoop) -> None:
    """Each field of each request takes each extreme text in turn."""
    for layout in REQUESTS.values():
        besieged.reset()
        besieged.fill_after(0)
        loop.run_until_complete(_batch(besieged.port, sweep(layout)))
    assert besieged.process.poll() is None
    _read_ledger(besieged.ledger_file)


def test_arbitrary_streams_harm_neither_the_gateway_nor_another_client(
    besieged: Stub, loop: asyncio.AbstractEventLoop
) -> None:
    """It lives, every stream ends, the other client is answered rightly all the time, and the ledger stays whole."""
    process = psutil.Process(besieged.process.pid)
    size_bytes: list[int] = []
    for first in range(0, STREAMS, BATCH):
        besieged.reset()
        besieged.fill_after(0)
        numbers = range(first, first + BATCH)
        answers = loop.run_until_complete(_batch(besieged.port, (random_stream(SEED, number) for number in numbers)))
        assert answers > 10, f"the other client was answered {answers} times only; {besieged.entries()[-20:]}"
        assert besieged.process.poll() is None
        size_bytes.append(process.memory_info().rss)
    assert size_bytes[-1] - size_bytes[0] < GROWTH_BYTES, size_bytes
    seen = _read_ledger(besieged.ledger_file)
    # The streams got as far as they were meant to.
    assert {layout.name for layout in REQUESTS.values()} - seen.keys() == set()
    assert min(seen[name] for name in ("undecodable", "placeOrder", "execDetails", "historicalData")) > STREAMS / 50
    # A hundred megabytes, which only a failure makes worth keeping.
    besieged.ledger_file.unlink()


def test_damaged_sessions_of_clients_harm_neither_the_gateway_nor_another_client(
    besieged: Stub,
    loop: asyncio.AbstractEventLoop,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """It lives, every stream ends, the other client is answered rightly, and memory and ledger stay within bounds."""
    streams = SESSIONS if request.config.getoption("--thorough") else FEW_SESSIONS
    process = psutil.Process(besieged.process.pid)
    size_bytes: list[int] = []
    sent_bytes = 0
    for first in range(0, streams, SESSIONS_AT_A_TIME):
        besieged.reset()
        besieged.fill_after(0)
        batch = [mutated_stream(SEED, number) for number in range(first, first + SESSIONS_AT_A_TIME)]
        sent_bytes += sum(len(piece) for stream in batch for piece in stream.pieces)
        assert loop.run_until_complete(_batch(besieged.port, iter(batch))) > 0
        assert besieged.process.poll() is None
        size_bytes.append(process.memory_info().rss)
    ledger_bytes = besieged.ledger_file.stat().st_size
    for name, value in (("sent_bytes", sent_bytes), ("ledger_bytes", ledger_bytes), ("rss_bytes", size_bytes)):
        record_property(name, value)
    assert size_bytes[-1] - size_bytes[0] < GROWTH_BYTES, size_bytes
    assert ledger_bytes < LEDGER_BYTES_MAX, f"{sent_bytes} bytes sent have become {ledger_bytes} of the ledger"
    _read_ledger(besieged.ledger_file)
    besieged.ledger_file.unlink()


async def _batch(port: int, streams: Iterator[Stream]) -> int:
    """Send the streams while another client is served, and return how often that one was answered."""
    witness = ib_insync().IB()
    await witness.connectAsync("127.0.0.1", port, clientId=1, timeout=ANSWER_S)
    staying: list[asyncio.StreamWriter] = []
    over = asyncio.Event()

    async def send_some() -> None:
        for stream in streams:
            await _send(port, stream, staying)

    try:
        async with asyncio.TaskGroup() as watch:
            watching = watch.create_task(_watch(witness, over))
            async with asyncio.TaskGroup() as storm:
                for _ in range(AT_ONCE):
                    storm.create_task(send_some())
            over.set()
    finally:
        for writer in staying:
            writer.transport.abort()
        witness.disconnect()
    return watching.result()


async def _send(port: int, stream: Stream, staying: list[asyncio.StreamWriter]) -> None:
    """Send a stream; if it ends with eof, the gateway must end the connection once it has read all of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if stream.ending == "stay":
        staying.append(writer)
    try:
        async with asyncio.timeout(ANSWER_S):
            for piece in stream.pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            if stream.ending == "eof":
                writer.write_eof()
                answer = await reader.read(-1)
                found = DEFECT.search(answer)
                assert found is None, f"a defect of the gateway, {answer[found.start() :][:80]!r}, shown by {stream}"
    except TimeoutError:
        pytest.fail(f"the gateway should have ended the connection within {ANSWER_S} s: {stream}")
    except OSError:
        # The gateway ended the connection before it had all of the stream.
        pass
    finally:
        if stream.ending != "stay":
            writer.transport.abort()


async def _watch(witness: Any, over: asyncio.Event) -> int:
    """Ask for bars and the time again and again, and return how often the answers were right."""
    stock = ib_insync().Stock("IBM", "SMART", "USD")
    expected = None
    rounds = 0
    while not over.is_set():
        async with asyncio.timeout(ANSWER_S):
            answer = await witness.reqHistoricalDataAsync(stock, "", "30 D", "1 day", "TRADES", useRTH=True)
            now = await witness.reqCurrentTimeAsync()
        # The library compares lists of bars by identity.
        bars = list(answer)
        expected = expected or bars
        assert len(bars) == 30
        assert bars == expected
        assert now.date().isoformat() >= CLOCK
        rounds += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), WATCH_S)
    return rounds


def _sent(fields: list[str]) -> bytes:
    return "\0".join(fields).encode()


def _read_ledger(file: Path) -> Counter[str]:
    """Read every line, fail where one is missing or tells of a defect, and count the names of messages."""
    names: Counter[str] = Counter()
    latest: dict[int, Any] = {}
    with file.open("rb") as lines:
        for seq, line in enumerate(lines, start=1):
            entry = json.loads(line)
            assert entry["seq"] == seq, f"expected entry {seq}, came {line[:200]!r}"
            names[entry.get("name", entry["kind"])] += 1
            # Behind its limit the ledger has messages by name and size only.
            fields = entry.get("fields", [])
            if entry["kind"] == "message_in":
                latest[entry["connection"]] = fields
            elif entry.get("name") == "error" and DEFECT.search(_sent(fields)):
                pytest.fail(f"a defect of the gateway, {fields}, shown by {latest[entry['connection']]}")
    return names
