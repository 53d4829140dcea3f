"""The connection to the gateway: ids, deadlines, notices, and what is done about a connection that is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import pytest
from ib_insync import Stock

from tests.trading.order_desk import fault
from tests.trading.parts import Parts
from tests.trading.relay import Relay
from trading.workflow.broker import Broker
from trading.workflow.errors import GatewayLost, GatewayRefused, GatewaySilent
from trading.workflow.farms import Farm, Farms, FarmState
from trading.workflow.gateway import Gateway
from trading.workflow.settings import WorkflowSettings, read_settings

T = TypeVar("T")
SetUp = Callable[..., WorkflowSettings]


def arm(parts: Parts, name: str, **more: Any) -> None:
    """Switch a fault on."""
    answer = httpx.post(f"{parts.gateway_control}/faults", json=fault(name, **more), trust_env=False)
    assert answer.status_code == 201, answer.text


def connected(work: Callable[[Gateway], Awaitable[T]]) -> T:
    """Do some work on a connection."""

    async def main() -> T:
        gateway = await Broker(read_settings()).connect(budget_s=5)
        try:
            return await work(gateway)
        finally:
            await gateway.close()

    return asyncio.run(main())


async def contract(gateway: Gateway) -> Any:
    """Ask for a contract."""
    return await gateway.ask("a contract", lambda: gateway.ib.reqContractDetailsAsync(Stock("AAPL", "SMART", "USD")))


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (2104, "Market data farm connection is OK:usfarm.nj", Farm("market data", "usfarm.nj", FarmState.OK)),
        (2105, "HMDS data farm connection is broken:ushmds", Farm("history", "ushmds", FarmState.BROKEN)),
        (
            2107,
            "HMDS data farm connection is inactive but should be available upon demand.ushmds",
            Farm("history", "ushmds", FarmState.INACTIVE),
        ),
        (2119, "Market data farm is connecting:usfarm", Farm("market data", "usfarm", FarmState.CONNECTING)),
        (
            2157,
            "Sec-def data farm connection is broken:secdefnj",
            Farm("security definitions", "secdefnj", FarmState.BROKEN),
        ),
        (2110, "Connectivity between Trader Workstation and server is broken.", None),
    ],
)
def test_farms_read_notices(code: int, message: str, expected: Farm | None) -> None:
    """A notice names a farm and its state; one of another kind says nothing about farms."""
    assert Farms().heed(code, message) == expected


def test_farms_are_known_once_the_gateway_is_proven_alive(clean_gateway: Parts, set_up: SetUp) -> None:
    """What the gateway said about its farms at the log-on is there, the broken one among it."""
    set_up()
    arm(clean_gateway, "farm-broken", farm="history")

    async def work(gateway: Gateway) -> Farms:
        await gateway.prove_alive()
        return gateway.farms

    farms = connected(work)
    assert [farm.kind for farm in farms.all] == ["market data", "history", "security definitions"]
    assert [farm.name for farm in farms.broken] == ["ushmds"]


def test_gateway_takes_the_next_id_when_one_is_taken(clean_gateway: Parts, set_up: SetUp) -> None:
    """Three connections at once hold three ids of ours."""
    set_up()

    async def main() -> list[int]:
        broker = Broker(read_settings())
        held = [await broker.connect(budget_s=5) for _ in range(3)]
        ids = [gateway.client_id for gateway in held]
        for gateway in held:
            await gateway.close()
        return ids

    assert asyncio.run(main()) == [10, 11, 12]


def test_refused_request_is_an_error(clean_gateway: Parts, set_up: SetUp) -> None:
    """No empty list: the gateway's code and words."""
    set_up()
    arm(clean_gateway, "no-security-definition")
    with pytest.raises(GatewayRefused, match="error 200"):
        connected(contract)


def test_silent_request_ends_at_its_deadline(clean_gateway: Parts, set_up: SetUp) -> None:
    """A request that is not answered is an error in time, not a wait for ever."""
    set_up()
    arm(clean_gateway, "silent", requests=["reqContractDetails"])

    async def work(gateway: Gateway) -> None:
        ask = gateway.ask("it", lambda: gateway.ib.reqContractDetailsAsync(Stock("AAPL")), deadline_s=0.3)
        with pytest.raises(GatewaySilent, match=r"it within 0\.3 s"):
            await ask

    connected(work)


def test_refusal_without_servers_is_no_refusal(clean_gateway: Parts, set_up: SetUp) -> None:
    """A gateway that has lost its servers knows no symbol: that is a reason to try again, not the symbol's fault."""
    set_up()
    arm(clean_gateway, "connectivity-lost")

    async def work(gateway: Gateway) -> None:
        with pytest.raises(GatewayLost, match="1100"):
            await gateway.prove_alive()
        assert (gateway.upstream_lost, gateway.outages) == (True, 1)
        with pytest.raises(GatewayLost, match="error 200 while"):
            await contract(gateway)

    connected(work)


@pytest.mark.parametrize("data_kept", [True, False])
def test_reading_waits_for_servers_on_one_connection(clean_gateway: Parts, set_up: SetUp, *, data_kept: bool) -> None:
    """While the gateway has lost its servers work waits, and goes on at 1101 or 1102, without a storm of log-ons."""
    set_up()
    arm(clean_gateway, "connectivity-lost", for_s=1.0, data_kept=data_kept)
    broker = Broker(read_settings())
    found = asyncio.run(broker.reading("a test", contract))
    assert found[0].contract.conId == 265598
    assert broker.troubles == []
    assert _log_ons(clean_gateway) == 1


def test_reading_does_not_rush_when_connections_are_lost(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp
) -> None:
    """Each connection is lost in the middle of the work: it is made anew, more and more slowly, and then given up."""
    set_up(ibkr_port=gateway_relay.port)

    async def lose(gateway: Gateway) -> None:
        gateway_relay.cut(refuse=False)
        await contract(gateway)

    started_s = time.monotonic()
    with pytest.raises(GatewayLost):
        asyncio.run(Broker(read_settings()).reading("a test", lose, budget_s=1.5))
    assert time.monotonic() - started_s < 4
    assert 2 <= _log_ons(clean_gateway) <= 12


def _log_ons(parts: Parts) -> int:
    entries = httpx.get(f"{parts.gateway_control}/ledger", trust_env=False).json()["entries"]
    return sum(entry["kind"] == "message_in" and entry["name"] == "startApi" for entry in entries)
