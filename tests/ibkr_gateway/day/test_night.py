"""What a gateway goes through at night: its restart, and a kill that it comes back from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ibkr_gateway.day.exchange import MORNING, Exchange, completed, executions
from tests.ibkr_gateway.stub import Stub, end, ib_insync, notice_loss, start, wait_until

Connect = Callable[..., Any]


def buy(**more: Any) -> Any:
    """Make a market order."""
    return ib_insync().MarketOrder("BUY", 10, **more)


def rest(**more: Any) -> Any:
    """Make a limit order that is never met."""
    return ib_insync().LimitOrder("BUY", 10, 1, **more)


def statuses(stub: Stub) -> dict[str, str]:
    """Return where each order stands."""
    return {order["order_ref"]: order["status"] for order in stub.orders()}


def kill(stub: Stub) -> None:
    """End a gateway without a warning."""
    stub.process.kill()
    stub.process.wait()
    end(stub)


def test_nightly_restart_comes_at_its_time_and_passes_with_the_night(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """At a quarter to twelve everybody is dropped; the clock is moved on, and the gateway is back, night after night."""
    stub = start(new_ledger, "--clock", MORNING, "--nightly-restart", "23:45")
    try:
        exchange = Exchange(stub, loop, connect)
        client = exchange.client()
        exchange.place(client, rest(tif="GTC"), "PreSubmitted", "gtc")
        exchange.move("2026-11-23T23:44:59")
        assert (client.isConnected(), stub.entries("fault_on")) == (True, [])
        exchange.move("2026-11-24T00:30")
        notice_loss(client, loop)
        (on,) = stub.entries("fault_on")
        assert (on["name"], on["clock"][:19]) == ("daily-restart", "2026-11-24T04:45:00")
        again = exchange.client()
        assert [trade.order.orderRef for trade in again.reqAllOpenOrders()] == ["gtc"]
        exchange.move("2026-11-25T00:30")
        notice_loss(again, loop)
        assert len(stub.entries("fault_on")) == 2
        stub.reset()
        exchange.move("midnight")
        assert len(stub.entries("fault_on")) == 1
    finally:
        end(stub)


@pytest.mark.parametrize(("parameters", "listed"), [({}, ["early"]), ({"forgets": True}, [])], ids=["keeps", "forgets"])
def test_restart_may_forget_what_was_executed(
    exchange: Exchange, parameters: dict[str, bool], listed: list[str]
) -> None:
    """Neither executions nor completed orders are listed after one that forgets; positions, open orders, ledger are."""
    client = exchange.client()
    trade = exchange.place(client, buy(), "PreSubmitted", "early")
    exchange.place(client, rest(tif="GTC"), "PreSubmitted", "gtc")
    exchange.move("open")
    exchange.let(client, trade.isDone, "filled")
    body = {"name": "daily-restart", "parameters": parameters}
    exchange.stub.control.post("/faults", json=body).raise_for_status()
    notice_loss(client, exchange.loop)
    exchange.change(advance_s=120)
    again = exchange.client()
    assert executions(again) == listed
    assert [reference for reference, _ in completed(again)] == listed
    assert [position.position for position in again.positions()] == [10]
    assert statuses(exchange.stub) == {"early": "Filled", "gtc": "Submitted"}


def test_gateway_killed_in_the_night_comes_back_in_it(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """The clock goes on from where it was, not from where it was told to start, and each order is held as it was."""
    stub = start(new_ledger, "--clock", MORNING)
    exchange = Exchange(stub, loop, connect)
    exchange.move("open")
    client = exchange.client()
    exchange.place(client, buy(), "Filled", "filled")
    for tif in ("DAY", "GTC"):
        exchange.place(client, rest(tif=tif), "Submitted", tif)
    exchange.move("2026-11-23T23:30")
    exchange.place(client, buy(), "PreSubmitted", "night")
    exchange.place(client, rest(tif="DAY"), "PreSubmitted", "evening")
    kill(stub)
    notice_loss(client, loop)

    again = start(new_ledger, "--clock", MORNING)
    try:
        assert again.control.get("/clock").json()["new_york"].startswith("2026-11-23T23:3")
        held = dict.fromkeys(("GTC", "night", "evening"), "PreSubmitted")
        before = {"filled": "Filled", "DAY": "Cancelled"} | held
        assert statuses(again) == before
        exchange = Exchange(again, loop, connect)
        client = exchange.client()
        assert executions(client) == ["filled"]
        exchange.move("midnight")
        assert (executions(client), completed(client)) == ([], [])
        exchange.move("2026-11-24T09:31")
        wait_until(lambda: statuses(again)["night"] == "Filled", "filled", evidence=again.orders)
        assert statuses(again) == before | {"GTC": "Submitted", "night": "Filled", "evening": "Submitted"}
        exchange.move("close")
        assert statuses(again) == before | {"night": "Filled", "evening": "Cancelled"}
    finally:
        end(again)


def test_market_goes_on_while_the_gateway_is_gone(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """Killed a second before the open and started again after it, the order has filled at the open."""
    stub = start(new_ledger, "--clock", MORNING)
    exchange = Exchange(stub, loop, connect)
    client = exchange.client()
    exchange.place(client, buy(), "PreSubmitted", "early")
    exchange.move("2026-11-23T09:29:59")
    kill(stub)
    notice_loss(client, loop)

    again = start(new_ledger, "--clock", MORNING)
    try:
        wait_until(lambda: statuses(again) == {"early": "Filled"}, "filled", evidence=again.orders)
        (fill,) = again.entries("fill")
        assert fill["clock"].startswith("2026-11-23T14:30:00")
    finally:
        end(again)


def test_clock_that_stood_stands_again_with_its_hours(new_ledger: Path) -> None:
    """What was set on the control port outlives a kill, as the orders do."""
    stub = start(new_ledger, "--clock", MORNING)
    stub.control.post("/clock", json={"to": "close", "running": False, "hours": "always-open"}).raise_for_status()
    before = stub.control.get("/clock").json()
    kill(stub)
    again = start(new_ledger, "--clock", MORNING)
    try:
        assert again.control.get("/clock").json() == before
        assert (before["running"], before["hours"]) == (False, "always-open")
    finally:
        end(again)
