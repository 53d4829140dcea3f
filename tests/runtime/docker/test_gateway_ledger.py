"""The gateway of the shipped stack in its container: what its broker knows survives a kill, and no new stack inherits it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from docker.errors import ImageNotFound

from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.session import Session
from harness.stack.stack import load_stack

pytestmark = [pytest.mark.docker, pytest.mark.anyio]
PROJECT = Path(__file__).parents[3]
GATEWAY = "ibkr-gateway"
DEADLINE_S = 60
PLACES_AN_ORDER = """\
import sys
from ib_insync import IB, MarketOrder, Stock
ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=3)
trade = ib.placeOrder(Stock("AAPL", "SMART", "USD"), MarketOrder("BUY", 10, orderRef=sys.argv[2]))
while not trade.orderStatus.permId:
    ib.sleep(0.02)
ib.disconnect()
"""


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@asynccontextmanager
async def gateway(home: Path, engine: Engine) -> AsyncIterator[ContainerStack]:
    """A stack of the gateway alone, as the shipped compose file describes it."""
    shipped = yaml.safe_load((PROJECT / "docker-compose.test.yml").read_text())
    service = {key: value for key, value in shipped["services"][GATEWAY].items() if key != "build"}
    file = {
        "services": {GATEWAY: service},
        "volumes": shipped["volumes"],
        "x-harness": {
            "link_probes": {f"{GATEWAY}:4002": "tws"},
            "adapters": {"workload": {"wait": {"for_s": 1}}},
        },
    }
    (home / "compose.yml").write_text(yaml.safe_dump(file))
    try:
        engine.client.images.get(service["image"])
    except ImageNotFound:
        pytest.skip("needs the images: `make images`")
    async with await Session.open() as session:
        running = ContainerStack(load_stack(home / "compose.yml", {}), session, engine=engine)
        await running.start()
        yield running
        await running.close()


async def place(running: ContainerStack, reference: str) -> None:
    """Send an order, and wait until the broker has acknowledged it."""
    argv = [sys.executable, "-c", PLACES_AN_ORDER, str(running.address(GATEWAY, 4002)[1]), reference]
    await asyncio.to_thread(subprocess.run, argv, check=True, timeout=DEADLINE_S)


async def control(running: ContainerStack, path: str, method: str = "GET") -> list[str]:
    """The references of what the control port tells of, after a call of it."""

    def ask() -> list[str]:
        host, port = running.address(GATEWAY, 4003)
        request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            told = json.load(answer)
        entries = told.get("entries", told.get("orders", []))
        return [entry["order_ref"] for entry in entries if entry.get("kind", "order_received") == "order_received"]

    return await asyncio.to_thread(ask)


async def test_ledger_survives_a_kill_of_its_container(engine: Engine, tmp_path: Path) -> None:
    """An order that the broker had before the kill is in its ledger and its book after it; a reset forgets it."""
    async with gateway(tmp_path, engine) as running:
        await place(running, "before-the-kill")
        await running.service(GATEWAY).kill()
        await running.service(GATEWAY).start()
        assert await control(running, "/ledger") == ["before-the-kill"]
        assert await control(running, "/orders") == ["before-the-kill"]
        await place(running, "after-it")
        assert await control(running, "/orders") == ["before-the-kill", "after-it"]
        await control(running, "/reset", "POST")
        assert await control(running, "/ledger") == []
    async with gateway(tmp_path, engine) as another:
        await place(another, "in-another-stack")
        assert await control(another, "/ledger") == ["in-another-stack"]
