"""Finding an order at the gateway by its reference, wherever the gateway may keep it."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

from trading.workflow.executions import average_price, executions
from trading.workflow.gateway import Gateway
from trading.workflow.order_records import OrderRecord, OrderState, OrderStatus

FOLLOW_S = 20.0
# A search is three requests, and the gateway takes 50 messages a second.
_POLL_S = 0.15

_WORKING = frozenset({"PendingSubmit", "ApiPending", "PreSubmitted", "Submitted", "PendingCancel"})
_CANCELLED = frozenset({"Cancelled", "ApiCancelled"})


async def find(gateway: Gateway, record: OrderRecord) -> OrderState | None:
    """Search open orders, completed orders and executions for an order.

    Args:
        gateway: connected.
        record: the order that is looked for.

    Returns:
        What became of it; None when the gateway has no trace of it.

    Raises:
        GatewayLost: the connection ended: nothing is known.
        GatewaySilent: an answer was not complete in time: nothing is known.
    """
    ref = record.order_ref
    # In this order an order that is filled in between is seen twice rather than not at all.
    open_orders = await gateway.ask("open orders", gateway.ib.reqAllOpenOrdersAsync)
    completed = await gateway.ask("completed orders", lambda: gateway.ib.reqCompletedOrdersAsync(False))
    fills = tuple(fill for fill in await executions(gateway) if fill.order_ref == ref)
    is_open = [trade for trade in open_orders if trade.order.orderRef == ref]
    is_completed = [trade for trade in completed if trade.order.orderRef == ref]
    if not (is_open or is_completed or fills):
        return None
    filled = sum((fill.shares for fill in fills), Decimal(0))
    status, reason = _status(record, filled, is_open, is_completed)
    perm_ids = [trade.order.permId for trade in (*is_completed, *is_open)] + [fill.perm_id for fill in fills]
    return OrderState(
        status=status,
        perm_id=next((perm_id for perm_id in perm_ids if perm_id), None),
        filled=filled,
        avg_price=average_price(fills),
        reason=reason,
    )


async def follow(gateway: Gateway, record: OrderRecord, state: OrderState) -> OrderState:
    """Search again until an order that was found is done, or a limited time is over.

    Args:
        gateway: connected.
        record: the order.
        state: what the first search found.

    Raises:
        GatewayLost: the connection ended.
        GatewaySilent: an answer was not complete in time.
    """
    ends_s = time.monotonic() + FOLLOW_S
    while not state.status.is_final and time.monotonic() < ends_s:
        await asyncio.sleep(_POLL_S)
        state = await find(gateway, record) or state
    return state


def _status(
    record: OrderRecord, filled: Decimal, is_open: list[Any], is_completed: list[Any]
) -> tuple[OrderStatus, str | None]:
    if filled >= record.quantity:
        return OrderStatus.FILLED, None
    for trade in (*is_completed, *is_open):
        told = trade.orderStatus.status
        if told == "Filled":
            return OrderStatus.FILLED, "the gateway says Filled; not all its executions are known yet"
        if told in _CANCELLED:
            return OrderStatus.CANCELLED, f"the gateway says {told}"
        if told == "Inactive":
            return OrderStatus.REJECTED, "the gateway says Inactive"
        if told not in _WORKING:
            return OrderStatus.UNKNOWN, f"the gateway says {told!r}"
    return (OrderStatus.PARTIAL if filled else OrderStatus.SUBMITTED), None
