"""How fast the backend stores artifacts: one a request and in batches, against pgbench doing the same INSERT.

Postgres and backend are started alone, without the stack. All is done in turns, so that a busy machine slows all of it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from benchmarks.pgbench import rows_per_s
from benchmarks.storage_client import Load
from benchmarks.storage_parts import StorageParts, running_storage
from harness.errors import DeadlineExceeded, HarnessError

TURNS = 3
DURATION_S = 2
CLIENTS = (1, 8)
BATCH = 100
_CLIENT_S = 60.0


async def measure_storage(bench: Bench) -> Sequence[Row]:
    """Store for some seconds in each way, and again, with one client and with eight."""
    async with running_storage() as parts:
        # What is made once, at the first time, is no part of it.
        await _store(parts, CLIENTS[0], BATCH)
        rows: list[Row] = []
        for clients in CLIENTS:
            rows += await _measure(bench, parts, clients)
    return rows


async def _measure(bench: Bench, parts: StorageParts, clients: int) -> list[Row]:
    who = "1 client" if clients == 1 else f"{clients} clients"
    singles, batches = _Compared(1), _Compared(BATCH)
    for turn in range(1, TURNS + 1):
        bench.progress.at_work(f"storage: {who}, {turn} of {TURNS} …")
        for compared in (singles, batches):
            rows = compared.rows_at_once
            compared.pgbench.append(
                await rows_per_s(
                    parts.database_url, clients=clients, rows=rows, duration_s=DURATION_S, folder=parts.folder
                )
            )
            compared.loads.append(await _store(parts, clients, rows))
    return [
        Row(f"POST an artifact, {who}", singles.request_ms, "ms", Aim("p99", 60) if clients > 1 else None),
        Row(f"POST a batch of {BATCH}, {who}", batches.request_ms, "ms"),
        Row(f"artifacts stored singly, {who}", singles.rates, "/s"),
        Row("pgbench INSERT", tuple(singles.pgbench), "/s"),
        Row("singly, against pgbench INSERT", singles.against(singles), "×", Aim("median", 0.2, at_least=True)),
        Row(f"artifacts stored {BATCH} at once, {who}", batches.rates, "/s"),
        Row("at once, against pgbench INSERT", batches.against(singles), "×", Aim("median", 0.5, at_least=True)),
        Row(f"pgbench INSERT of {BATCH} rows", tuple(batches.pgbench), "/s"),
        Row("at once, against that", batches.against(batches), "×"),
    ]


@dataclass(frozen=True, slots=True)
class _Compared:
    """Turns of the backend and of pgbench, both with as many rows at once."""

    rows_at_once: int
    loads: list[Load] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)

    @property
    def rates(self) -> tuple[float, ...]:
        return tuple(load.rows / load.took_s for load in self.loads)

    @property
    def request_ms(self) -> tuple[float, ...]:
        return tuple(each for load in self.loads for each in load.request_ms)

    def against(self, other: _Compared) -> tuple[float, ...]:
        return tuple(rate / insert for rate, insert in zip(self.rates, other.pgbench, strict=True))


async def _store(parts: StorageParts, clients: int, rows: int) -> Load:
    """Run clients, and return what they did."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.storage_client"),
        *map(str, (parts.backend_port, clients, rows, DURATION_S)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_CLIENT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        raise DeadlineExceeded(f"{clients} clients of the backend had not ended after {_CLIENT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log = (parts.folder / "backend.log").read_text(errors="replace")[-2000:]
        raise HarnessError("the backend should have stored, and did not", evidence=f"{errors.decode()}\n{log}")
    return Load(**json.loads(output))
