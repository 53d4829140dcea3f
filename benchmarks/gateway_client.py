"""An ib_insync client that does one kind of work with a gateway stub, and tells what it cost either of them.

``python -m benchmarks.gateway_client PORT PID WORK`` prints a line for each sample; PID is the stub's. It is a process
of its own, so that its CPU time holds nothing but what a client does.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psutil

SAMPLES = 5
CONNECTIONS = 20
CROWD = 32
IN_FLIGHT = 20
# CPU times come in hundredths of a second, so that a sample must be much longer.
_SAMPLE_S = 1.0
_DEADLINE_S = 10.0

Act = Callable[[Any], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one sample took.

    Args:
        done: how much was done of what is counted.
        wall_s: elapsed time.
        client_cpu_s: CPU time of the client.
        stub_cpu_s: CPU time of the stub.
    """

    done: int
    wall_s: float
    client_cpu_s: float
    stub_cpu_s: float


async def main(port: int, stub: psutil.Process, work: str) -> None:
    """Do what is asked for, and print what it cost."""
    if work == "crowd":
        await _come_as_a_crowd(port, stub)
    elif work == "connect":
        for client_id in range(1, CONNECTIONS + 1):
            cost, client = await _connect(port, stub, client_id)
            _tell(json.dumps(dataclasses.asdict(cost)))
            client.disconnect()
    else:
        _, client = await _connect(port, stub, 1)
        # What is made once, at the first time, is no part of it.
        await ACTS[work](client)
        for _ in range(SAMPLES):
            _tell(json.dumps(dataclasses.asdict(await _sample(stub, client, ACTS[work]))))
        client.disconnect()


async def _come_as_a_crowd(port: int, stub: psutil.Process) -> None:
    """Tell how many bytes of memory are the stub's with one client, and with all of them."""
    clients = []
    for client_id in range(1, CROWD + 1):
        clients.append((await _connect(port, stub, client_id))[1])
        if client_id in {1, CROWD}:
            memory = stub.memory_full_info()
            # Where the machine does not share out what several processes use: what is the stub's alone.
            _tell(str(getattr(memory, "pss", memory.uss)))
    for client in clients:
        client.disconnect()


async def _connect(port: int, stub: psutil.Process, client_id: int) -> tuple[Cost, Any]:
    client = _library().IB()
    # By itself the library sends no more than 45 requests a second.
    client.client.MaxRequests = 0

    async def connect(client: Any) -> int:
        await client.connectAsync("127.0.0.1", port, clientId=client_id, timeout=_DEADLINE_S)
        return 1

    return await _sample(stub, client, connect, at_least_s=0), client


async def _sample(stub: psutil.Process, client: Any, act: Act, at_least_s: float = _SAMPLE_S) -> Cost:
    """Act again and again for a while."""
    stub_before_s, client_before_s, began_s = _cpu_s(stub), time.process_time(), time.monotonic()
    done = await act(client)
    while (wall_s := time.monotonic() - began_s) < at_least_s:
        done += await act(client)
    return Cost(done, wall_s, time.process_time() - client_before_s, _cpu_s(stub) - stub_before_s)


async def _ask_for_a_year(client: Any) -> int:
    return await _ask_for_bars(client, "1 Y")


async def _ask_for_five_years(client: Any) -> int:
    return await _ask_for_bars(client, "5 Y")


async def _ask_for_bars(client: Any, duration: str) -> int:
    bars = await asyncio.wait_for(
        client.reqHistoricalDataAsync(_stock(), "", duration, "1 day", "TRADES", useRTH=True), _DEADLINE_S
    )
    if not bars:
        raise SystemExit(f"the stub should have given the daily bars of {duration}, and gave none")
    return len(bars)


async def _place_an_order(client: Any) -> int:
    await _buy(client)
    return 1


async def _place_many_orders(client: Any) -> int:
    await asyncio.gather(*(_buy(client) for _ in range(IN_FLIGHT)))
    return IN_FLIGHT


async def _buy(client: Any) -> None:
    filled = asyncio.get_running_loop().create_future()
    trade = client.placeOrder(_stock(), _library().MarketOrder("BUY", 1))
    # The event itself is not awaited: it may come before the task that awaits it has begun.
    trade.filledEvent += filled.set_result
    await asyncio.wait_for(filled, _DEADLINE_S)


ACTS: Mapping[str, Act] = {
    "one-year": _ask_for_a_year,
    "five-years": _ask_for_five_years,
    "one-order": _place_an_order,
    "many-orders": _place_many_orders,
}


def _library() -> Any:
    # It cannot be imported where there is no event loop.
    return importlib.import_module("ib_insync")


def _stock() -> Any:
    return _library().Stock("AAPL", "SMART", "USD")


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), psutil.Process(int(sys.argv[2])), sys.argv[3]))
