"""Bringing the records of a run's orders and trades to what the gateway says."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

from trading.workflow.executions import Execution, executions
from trading.workflow.gateway import Gateway
from trading.workflow.order_records import OrderRecord, OrderState, OrderStatus, orders_of, record_state
from trading.workflow.order_search import find
from trading.workflow.run_database import RunDatabase
from trading.workflow.trade_records import record_trades

_LATE_FILLS_S = 5.0
_POLL_S = 0.05
_UNDECIDED = frozenset({OrderStatus.SUBMITTED, OrderStatus.PARTIAL, OrderStatus.UNKNOWN})


async def reconcile(
    gateway: Gateway, database: RunDatabase, execution_id: str
) -> tuple[list[OrderRecord], list[Execution]]:
    """Record late fills and late ends of a run's orders.

    Args:
        gateway: connected.
        database: the workflow's.
        execution_id: the run.

    Returns:
        The run's orders and their executions, as they are recorded.
    """
    ends_s = time.monotonic() + _LATE_FILLS_S
    while True:
        orders = [await _updated(gateway, database, order) for order in await orders_of(database, execution_id)]
        refs = {order.order_ref for order in orders}
        fills = [fill for fill in await executions(gateway, with_commissions=True) if fill.order_ref in refs]
        complete = all(order.filled == _shares(fills, order) for order in orders)
        if complete or time.monotonic() >= ends_s:
            break
        await asyncio.sleep(_POLL_S)
    await record_trades(database, execution_id, fills)
    return orders, fills


async def _updated(gateway: Gateway, database: RunDatabase, order: OrderRecord) -> OrderRecord:
    late = order.status in _UNDECIDED or (order.status is OrderStatus.FILLED and order.filled < order.quantity)
    if not late:
        return order
    found = await find(gateway, order)
    if found is None or found == _state(order):
        return order
    return await record_state(database, order.order_ref, found)


def _state(order: OrderRecord) -> OrderState:
    return OrderState(
        status=order.status,
        perm_id=order.perm_id,
        filled=order.filled,
        avg_price=order.avg_price,
        reason=order.reason,
    )


def _shares(fills: list[Execution], order: OrderRecord) -> Decimal:
    return sum((fill.shares for fill in fills if fill.order_ref == order.order_ref), Decimal(0))
