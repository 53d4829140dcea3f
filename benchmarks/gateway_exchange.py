"""How fast the gateway stub serves an ib_insync client, and how much of the CPU time and memory is its own.

It is started alone, without the stack. The client that asks is a process of its own: ``benchmarks.gateway_client``.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.bench import Bench
from benchmarks.gateway_client import CROWD, IN_FLIGHT, Cost
from benchmarks.measurement import Aim, Row
from harness.errors import DeadlineExceeded, HarnessError
from harness.runtime.session.ports import PortBlock, PortRange


@dataclass(frozen=True, slots=True)
class Work:
    """What a client does.

    Args:
        what: for a person; what is counted stands first.
        share_max: what the stub's part of the CPU time of client and stub together should not exceed, in percent.
    """

    what: str
    share_max: float


_BARS_SHARE, _ORDERS_SHARE = 15, 25
WORKS: Mapping[str, Work] = {
    "one-year": Work("daily bars, a year at a time", _BARS_SHARE),
    "five-years": Work("daily bars, five years at a time", _BARS_SHARE),
    "one-order": Work("orders to Filled, one after the other", _ORDERS_SHARE),
    "many-orders": Work(f"orders to Filled, {IN_FLIGHT} in flight", _ORDERS_SHARE),
}
_READY_S = 15.0
_POLL_S = 0.05
_CLIENT_S = 60.0
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Stub:
    """A gateway stub that runs."""

    pid: int
    port: int


async def measure_gateway(bench: Bench) -> Sequence[Row]:
    """Come as a crowd, connect again and again, ask for bars, and place orders that are filled at once."""
    async with _stub() as stub:
        bench.progress.at_work("gateway: memory …")
        few, many = [int(line) / _MB for line in await _client(stub, "crowd")]
        bench.progress.at_work("gateway: connect …")
        connects = [_cost(line) for line in await _client(stub, "connect")]
        rows = [
            Row("gateway stub's memory with 1 client", (few,), "MB"),
            Row(f"gateway stub's memory with {CROWD} clients", (many,), "MB"),
            Row("gateway: connect", tuple(each.wall_s * 1000 for each in connects), "ms"),
        ]
        for name, work in WORKS.items():
            bench.progress.at_work(f"gateway: {work.what} …")
            costs = [_cost(line) for line in await _client(stub, name)]
            aim = Aim("median", work.share_max)
            rows += [
                Row(f"gateway: {work.what}", tuple(each.done / each.wall_s for each in costs), "/s"),
                # Of both processes alone: what the rest of the machine does is in neither, nor is time spent waiting.
                Row("stub's share of the CPU time of stub and client", tuple(map(_share, costs)), "%", aim),
                # A slower client makes that share smaller; this it leaves as it is.
                Row("stub's CPU time for a thousand of them", tuple(map(_stub_cpu_ms_of_a_thousand, costs)), "ms"),
            ]
    return rows


def _cost(line: str) -> Cost:
    return Cost(**json.loads(line))


def _stub_cpu_ms_of_a_thousand(cost: Cost) -> float:
    return 1000 * (1000 * cost.stub_cpu_s) / cost.done


def _share(cost: Cost) -> float:
    return 100 * cost.stub_cpu_s / (cost.stub_cpu_s + cost.client_cpu_s)


@asynccontextmanager
async def _stub() -> AsyncIterator[Stub]:
    with tempfile.TemporaryDirectory() as folder, closing(PortBlock.claim(PortRange.from_environment())) as ports:
        port, control = ports.take(), ports.take()
        log = Path(folder) / "gateway.log"
        command = [sys.executable, "-m", "fixtures.ibkr_gateway", "--port", str(port), "--control", str(control)]
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command, "--ledger", str(Path(folder) / "ledger.jsonl"), stdout=output, stderr=output
            )
        try:
            await _fill_at_once(f"http://127.0.0.1:{control}", log)
            yield Stub(process.pid, port)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _fill_at_once(control: str, log: Path) -> None:
    """Wait until the stub answers, and have it fill orders without a delay."""
    gives_up_s = time.monotonic() + _READY_S
    async with httpx.AsyncClient(base_url=control, trust_env=False) as client:
        while True:
            try:
                (await client.patch("/behaviour", json={"fill_delay_s": 0})).raise_for_status()
            except httpx.HTTPError as error:
                if time.monotonic() > gives_up_s:
                    what = f"the gateway stub should answer on {control}, and had not after {_READY_S:g} s: {error}"
                    raise DeadlineExceeded(what, evidence=_text(log)) from error
                await asyncio.sleep(_POLL_S)
            else:
                return


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


async def _client(stub: Stub, work: str) -> list[str]:
    """Run a client, and return the lines that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.gateway_client", str(stub.port), str(stub.pid), work),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_CLIENT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        raise DeadlineExceeded(f"the client's {work} had not ended after {_CLIENT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise HarnessError(f"the client's {work} should have been measured, and failed", evidence=errors.decode())
    return output.decode().splitlines()
