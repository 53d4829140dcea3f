"""A gateway that is killed and started again on the same ledger: the broker behind it has forgotten nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ibkr_gateway.stub import CLOCK, Stub, end, ib_insync, notice_loss, start, wait_until

Connect = Callable[..., Any]


def placed(client: Any, order: Any, reference: str) -> Any:
    """Place an order under a reference and wait until the gateway has acknowledged it."""
    order.orderRef = reference
    trade = client.placeOrder(ib_insync().Stock("AAPL", "SMART", "USD"), order)
    wait_until(lambda: client.sleep(0.01) and trade.orderStatus.permId, f"{reference} acknowledged")
    return trade


def orders_by_reference(stub: Stub) -> dict[str, str]:
    """Return where each order stands."""
    return {order["order_ref"]: order["status"] for order in stub.orders()}


def test_killed_gateway_comes_back_with_its_orders(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """What was filled, cancelled or resting is so again, and what waited for its fill is filled."""
    first = start(new_ledger, "--clock", CLOCK)
    client = connect(3, first.port)
    done = placed(client, ib_insync().MarketOrder("BUY", 10), "filled")
    wait_until(lambda: client.sleep(0.01) and done.fills, "filled")
    client.cancelOrder(placed(client, ib_insync().LimitOrder("BUY", 1, 10), "cancelled").order)
    resting = placed(client, ib_insync().LimitOrder("BUY", 1, 10), "resting")
    resting.order.lmtPrice = 11
    client.placeOrder(resting.contract, resting.order)
    first.fill_after(30)
    placed(client, ib_insync().MarketOrder("BUY", 5), "waiting")
    wait_until(lambda: orders_by_reference(first).get("waiting") == "Submitted", "all there", evidence=first.orders)
    before = first.entries()
    first.process.kill()
    first.process.wait()
    end(first)
    notice_loss(client, loop)

    second = start(new_ledger, "--clock", CLOCK)
    try:
        assert second.entries()[: len(before)] == before
        wait_until(lambda: orders_by_reference(second)["waiting"] == "Filled", "filled", evidence=second.orders)
        assert orders_by_reference(second) == {
            "filled": "Filled",
            "cancelled": "Cancelled",
            "resting": "Submitted",
            "waiting": "Filled",
        }
        again = connect(3, second.port)
        assert [position.position for position in again.positions()] == [15]
        assert [fill.execution.orderRef for fill in again.reqExecutions()] == ["filled", "waiting"]
        assert [trade.order.lmtPrice for trade in again.openTrades()] == [11]
        assert placed(again, ib_insync().MarketOrder("BUY", 1), "new").order.permId > max(
            o["perm_id"] for o in second.orders()[:4]
        )
        second.reset()
        notice_loss(again, loop)
    finally:
        end(second)

    third = start(new_ledger, "--clock", CLOCK)
    try:
        assert third.orders() == []
        assert third.entries() == []
    finally:
        end(third)
