"""Watches the system's record of its orders while a run goes on: what is true in the end may be wrong in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

from harness.clients.database import DatabaseUnreadable, SystemDatabase
from harness.history.history import HistoryWriter
from harness.history.measurements import OrderRecorded

_POLL_S = 0.05
_AFTER_FAILURE_S = 0.2


@asynccontextmanager
async def record_watched(
    database: SystemDatabase | None, query: str | None, history: HistoryWriter
) -> AsyncIterator[None]:
    """Note each change of the record of orders, as long as the block goes on; nothing where there is no record."""
    if database is None or query is None:
        yield
        return
    watching = asyncio.create_task(_watch(database, query, history), name="watch the record of orders")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(database: SystemDatabase, query: str, history: HistoryWriter) -> None:
    seen: dict[str, tuple[str, Decimal]] = {}
    while True:
        try:
            async with database.orders_again(query) as look:
                while True:
                    for order in await look():
                        now = (order.status, order.filled or Decimal(0))
                        if seen.get(order.order_ref) != now:
                            seen[order.order_ref] = now
                            history.add(OrderRecorded(order_ref=order.order_ref, status=now[0], filled=now[1]))
                    await asyncio.sleep(_POLL_S)
        except DatabaseUnreadable:
            # A fault may be on the database itself; that it cannot be read in the end is told there.
            await asyncio.sleep(_AFTER_FAILURE_S)
