"""How soon a client feels that a fault was switched on, and that it was lifted.

Counted from the order to switch. A refused or reset client feels it at its first call that is not answered; a client
in a blackhole feels nothing, so that what counts there is the last answer that still came through.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from harness.errors import DeadlineExceeded
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.fault import LinkFault
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset
from harness.history.events import ProbeOutcome
from harness.runtime.effects.link import apply_fault
from harness.runtime.toxiproxy.link_proxy import LinkProxy

REPETITIONS = 100
LINK = "workflow -> backend"
FAULTS: tuple[LinkFault, ...] = (Refused(), Reset(), Blackhole())
_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """What the client sees from now on.

    Args:
        outcome: what it sees.
        seen_s: when it saw that for the first time.
        last_of_before_s: when it saw something else for the last time.
    """

    outcome: ProbeOutcome
    seen_s: float
    last_of_before_s: float


async def measure_fault_effect(bench: Bench) -> Sequence[Row]:
    """Switch each fault on and off, a hundred times, under a client that uses its link without a pause."""
    running = await bench.running()
    link = running.stack.link(LINK)
    rows: list[Row] = []
    async with _client(running.link_address(link)[1]) as changes:
        await _next(changes, answered=True)
        for fault in FAULTS:
            bench.progress.at_work(f"{fault.about} on and off, {REPETITIONS} times …")
            pairs = [await _on_and_off(running.proxy(link), fault, changes) for _ in range(REPETITIONS)]
            felt_ms, healed_ms = (tuple(each) for each in zip(*pairs, strict=True))
            rows += [
                Row(f"fault on to first effect: {fault.about}", felt_ms, "ms", Aim("p99", 50)),
                Row(f"fault lifted to first answer: {fault.about}", healed_ms, "ms"),
            ]
    return rows


async def _on_and_off(proxy: LinkProxy, fault: LinkFault, changes: asyncio.StreamReader) -> tuple[float, float]:
    ordered_s = time.monotonic()
    await apply_fault(proxy, fault)
    change = await _next(changes, answered=False)
    felt_s = change.last_of_before_s if change.outcome is ProbeOutcome.SILENT else change.seen_s
    lifted_s = time.monotonic()
    await proxy.heal()
    healed = await _next(changes, answered=True)
    # An answer that was the last one before the order was felt at once.
    return max(0.0, felt_s - ordered_s) * 1000, (healed.seen_s - lifted_s) * 1000


async def _next(changes: asyncio.StreamReader, *, answered: bool) -> Change:
    """The next change to being answered, or away from it."""
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while line := await changes.readline():
                said = json.loads(line)
                change = Change(ProbeOutcome(said["outcome"]), said["seen_s"], said["last_of_before_s"])
                if (change.outcome is ProbeOutcome.ANSWERED) is answered:
                    return change
    except TimeoutError:
        wanted = "an answer" if answered else "no answer"
        raise DeadlineExceeded(
            f"the client on {LINK} should see {wanted}, and had not after {_DEADLINE_S:g} s"
        ) from None
    raise DeadlineExceeded(f"the client on {LINK} ended by itself")


@asynccontextmanager
async def _client(port: int) -> AsyncIterator[asyncio.StreamReader]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.tight_loop", str(port), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()
