"""Finding an order at the gateway by its reference, wherever the gateway may keep it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.workflow.events import get_events
from trading.workflow.executions import Execution, executions
from trading.workflow.gateway import Gateway
from trading.workflow.order_records import OrderRecord, OrderState, OrderStatus

log = get_events(__name__)

# A search is three requests, and the gateway takes 50 messages a second.
_POLL_S = 0.15
# An order that has just arrived may reach the gateway's lists a moment later than the search.
_SECOND_LOOK_S = 0.5

_WORKING = frozenset({"PendingSubmit", "ApiPending", "PreSubmitted", "Submitted", "PendingCancel"})
_CANCELLED = frozenset({"Cancelled", "ApiCancelled"})


@dataclass(frozen=True, slots=True)
class Lists:
    """What the gateway knows about orders, its own and everybody's.

    Args:
        orders: the library's records of completed orders, then of open ones.
        fills: today's executions.
    """

    orders: tuple[Any, ...]
    fills: tuple[Execution, ...]


async def read_lists(gateway: Gateway, *, with_commissions: bool = False) -> Lists:
    """Ask for open orders, completed orders and executions.

    Args:
        gateway: connected.
        with_commissions: whether to wait a moment for what the executions cost.

    Raises:
        GatewayLost: the connection ended: nothing is known.
        GatewaySilent: an answer was not complete in time: nothing is known.
    """
    # In this order an order that is filled in between is seen twice rather than not at all.
    is_open = await gateway.ask("open orders", gateway.ib.reqAllOpenOrdersAsync)
    completed = await gateway.ask("completed orders", lambda: gateway.ib.reqCompletedOrdersAsync(False))
    return Lists((*completed, *is_open), await executions(gateway, with_commissions=with_commissions))


def state_in(lists: Lists, record: OrderRecord) -> OrderState | None:
    """Say what became of an order; None when there is no trace of it."""
    orders = [trade for trade in lists.orders if trade.order.orderRef == record.order_ref]
    fills = tuple(fill for fill in lists.fills if fill.order_ref == record.order_ref)
    if not (orders or fills):
        return None
    status, reason = _status(record, sum((fill.shares for fill in fills), Decimal(0)), orders)
    perm_ids = [trade.order.permId for trade in orders] + [fill.perm_id for fill in fills]
    return OrderState(
        status=status, perm_id=next((perm_id for perm_id in perm_ids if perm_id), None), fills=fills, reason=reason
    )


async def find(gateway: Gateway, record: OrderRecord) -> OrderState | None:
    """Look once for an order.

    Raises:
        GatewayLost: the connection ended: nothing is known.
        GatewaySilent: an answer was not complete in time: nothing is known.
    """
    return state_in(await read_lists(gateway), record)


async def look_for(gateway: Gateway, record: OrderRecord, ends_s: float) -> OrderState | None:
    """Look for an order until it is found, or until it is certain that the gateway does not have it.

    Args:
        gateway: connected.
        record: the order; one that was never sent is looked for only once.
        ends_s: monotonic time until which a gateway that has lost its servers may get them back.

    Raises:
        GatewayLost: the connection ended, or the servers did not come back: nothing is known.
        GatewaySilent: an answer was not complete in time: nothing is known.
    """
    looks = 1 if record.sent_at is None else 2
    while looks:
        outages = gateway.outages
        state = await find(gateway, record)
        seen = "nothing" if state is None else state.status
        log.info("order_searched", order_ref=record.order_ref, found=seen, looks_left=looks - 1)
        if state is not None:
            return state
        if gateway.upstream_lost or gateway.outages != outages:
            # What a gateway without its servers does not list may exist all the same.
            await gateway.servers_back(ends_s - time.monotonic())
            continue
        looks -= 1
        if looks:
            await asyncio.sleep(_SECOND_LOOK_S)
    return None


async def follow(gateway: Gateway, record: OrderRecord, state: OrderState, ends_s: float) -> OrderState:
    """Search again until an order that was found is done, or its time is over.

    Args:
        gateway: connected.
        record: the order.
        state: what was found so far.
        ends_s: monotonic time.

    Raises:
        GatewayLost: the connection ended.
        GatewaySilent: an answer was not complete in time.
    """
    while not is_settled(record, state.status, state.filled) and time.monotonic() < ends_s:
        await asyncio.sleep(_POLL_S)
        state = await find(gateway, record) or state
    return state


def is_settled(record: OrderRecord, status: OrderStatus, filled: Decimal) -> bool:
    """Whether an order is done, and all is known about it: executions may be told later than the end."""
    return status.is_final and (status is not OrderStatus.FILLED or filled >= record.quantity)


def _status(record: OrderRecord, filled: Decimal, orders: list[Any]) -> tuple[OrderStatus, str | None]:
    if filled >= record.quantity:
        return OrderStatus.FILLED, None
    for trade in orders:
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
