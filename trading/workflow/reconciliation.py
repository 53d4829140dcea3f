"""Bringing the records of orders and trades to what the gateway says."""

from __future__ import annotations

import asyncio
import time

from trading.workflow.events import get_events
from trading.workflow.executions import Execution
from trading.workflow.gateway import Gateway
from trading.workflow.order_records import OrderRecord, OrderStatus, orders_to_reconcile, record_state
from trading.workflow.order_search import Lists, read_lists, state_in
from trading.workflow.run_database import RunDatabase

log = get_events(__name__)

_LATE_FILLS_S = 5.0
_POLL_S = 0.2


async def reconcile(
    gateway: Gateway, database: RunDatabase, execution_id: str
) -> tuple[list[OrderRecord], list[Execution]]:
    """Record late fills, late ends and late commissions of a run's orders, and of earlier orders that are still open.

    Args:
        gateway: connected.
        database: the workflow's.
        execution_id: the run.

    Returns:
        The run's orders and their executions, as they are recorded.
    """
    ends_s = time.monotonic() + _LATE_FILLS_S
    while True:
        lists = await read_lists(gateway, with_commissions=True)
        recorded = await orders_to_reconcile(database, execution_id)
        orders = [await _updated(database, order, lists) for order in recorded]
        ours = [order for order in orders if order.execution_id == execution_id]
        if not any(_is_told_late(order) for order in ours) or time.monotonic() >= ends_s:
            refs = {order.order_ref for order in ours}
            return ours, [fill for fill in lists.fills if fill.order_ref in refs]
        await asyncio.sleep(_POLL_S)


async def _updated(database: RunDatabase, order: OrderRecord, lists: Lists) -> OrderRecord:
    """Record what the gateway says of an order in any state: even of a cancelled order fills may come late."""
    state = None if order.sent_at is None else state_in(lists, order)
    if state is None:
        return order
    now = await record_state(database, order, state)
    if (now.status, now.filled) != (order.status, order.filled):
        log.info("order_reconciled", order_ref=now.order_ref, before=order.status, status=now.status, filled=now.filled)
    return now


def _is_told_late(order: OrderRecord) -> bool:
    return order.status is OrderStatus.FILLED and order.filled < order.quantity
