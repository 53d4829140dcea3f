"""A small stack with the gateway stub, described once for both runtimes, and real clients of it over the link."""

from __future__ import annotations

import asyncio
import importlib
import struct
from pathlib import Path
from typing import Any

from harness.runtime.running import RunningStack
from harness.stack.stack import Stack, load_stack

GATEWAY = "gateway"
LINK = "client -> gateway"
IMAGE = "trading-ibkr-gateway"
PROJECT = Path(__file__).parents[2]
_OPTIONS = "--ledger, /var/tmp/ledger.jsonl"
COMPOSE = f"""\
services:
  gateway:
    image: {IMAGE}
    command: [python, -m, fixtures.ibkr_gateway, --host, 0.0.0.0, --port, "4002", --control, "4003", {_OPTIONS}]
    tmpfs: [/var/tmp, /tmp]
    read_only: true
    init: true
    cap_drop: [ALL]
    x-harness:
      run: [python, -m, fixtures.ibkr_gateway, --port, "{{port:4002}}", --control, "{{port:4003}}", --ledger, "{{data}}/l.jsonl"]
      ready: {{http: "http://gateway:4003/health"}}
      environment: {{PYTHONPATH: "{PROJECT}"}}
  client:
    image: {IMAGE}
    command: [python, -u, -c, "import time; print('ready'); time.sleep(3600)"]
    environment: {{GATEWAY: "gateway:4002"}}
    x-harness:
      run: [python, -u, -c, "import time; print('ready'); time.sleep(3600)"]
      ready: {{log: ready}}
x-harness:
  links: [client -> gateway:4002]
  link_probes: {{"gateway:4002": tws}}
  adapters: {{workload: {{wait: {{for_s: 1}}}}, gateway: {{control: "http://gateway:4003"}}}}
"""


def described(home: Path) -> Stack:
    """Write the stack's description into a folder of its own, and read it."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "compose.yml").write_text(COMPOSE)
    return load_stack(home / "compose.yml", {})


async def is_silent_over_link(running: RunningStack, timeout_s: float = 0.7) -> bool:
    """Whether a client's handshake over the link is not answered."""
    reader, writer = await asyncio.open_connection(*running.link_address(running.stack.link(LINK)))
    try:
        writer.write(b"API\0" + struct.pack("!I", 9) + b"v100..178")
        async with asyncio.timeout(timeout_s):
            await reader.read(1)
    except TimeoutError:
        return True
    finally:
        writer.transport.abort()
    return False


async def connected(running: RunningStack, client_id: int = 1) -> Any:
    """A client of the system's own: ib_insync, over the link."""
    ib_insync = importlib.import_module("ib_insync")
    client = ib_insync.IB()
    host, port = running.link_address(running.stack.link(LINK))
    await client.connectAsync(host, port, clientId=client_id, timeout=5)
    return client


def buy(client: Any, shares: int = 1, **more: Any) -> Any:
    """Send a market order, and return its trade."""
    ib_insync = importlib.import_module("ib_insync")
    return client.placeOrder(ib_insync.Stock("AAPL", "SMART", "USD"), ib_insync.MarketOrder("BUY", shares, **more))
