"""The table orders: what we meant to send, whether we may have sent it, and what became of it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from trading.workflow.executions import Execution
from trading.workflow.run_database import Connection, RunDatabase
from trading.workflow.trade_records import write_trades

_COLUMNS = (
    "order_ref, execution_id, symbol, action, quantity, order_type, status, perm_id, filled, avg_price, reason,"
    " client_id, send_token, sent_at"
)
_IS_OPEN = "status NOT IN ('FILLED', 'REJECTED', 'CANCELLED')"
# What is final stays, but for the end that cannot be undone: a fill may come after a cancel, or be told late.
_MAY_CHANGE = f"({_IS_OPEN} OR %(status)s = 'FILLED') AND (%(status)s <> 'NOT_SENT' OR sent_at IS NULL)"
_AFTER_SENDING_S = 30.0
# A day order ends with its day; the margin covers the longest weekend.
_OPEN_AT_MOST = timedelta(days=5)


class OrderStatus(StrEnum):
    """What became of an order."""

    INTENT = "INTENT"
    SUBMITTED = "SUBMITTED"
    FILLED = "FILLED"
    PARTIAL = "PARTIAL"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    NOT_SENT = "NOT_SENT"

    @property
    def is_final(self) -> bool:
        """Whether the gateway calls the order done."""
        return self in {OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.CANCELLED}


class OrderRecord(BaseModel):
    """An order as it is recorded.

    Args:
        client_id: the client id of the connection that it was last sent on.
        send_token: of the last time that it was sent; None when it never was.
        sent_at: committed before the order leaves; None proves that it never left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_ref: str
    execution_id: str
    symbol: str
    action: str
    quantity: Decimal
    order_type: str
    status: OrderStatus
    perm_id: int | None
    filled: Decimal
    avg_price: Decimal | None
    reason: str | None
    client_id: int | None
    send_token: UUID | None
    sent_at: datetime | None


class OrderState(BaseModel):
    """What became of an order, as far as it was found out.

    Args:
        fills: its executions that are known.
        reason: why, where the status does not say all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: OrderStatus
    perm_id: int | None = None
    fills: tuple[Execution, ...] = ()
    reason: str | None = None

    @property
    def filled(self) -> Decimal:
        """Shares of the known executions."""
        return sum((fill.shares for fill in self.fills), Decimal(0))


def order_ref(execution_id: str, symbol: str) -> str:
    """The order's idempotency key: the same for every attempt of a run at a symbol."""
    digest = hashlib.sha256(f"{execution_id}\x1f{symbol}".encode()).hexdigest()[:24]
    return f"tw-{symbol.replace(' ', '-')}-{digest}"


async def record_intent(
    database: RunDatabase, *, execution_id: str, symbol: str, action: str, quantity: Decimal
) -> tuple[OrderRecord, bool]:
    """Commit that an order is meant to be sent, before anything is.

    Returns:
        The record, and whether it was there before.
    """
    ref = order_ref(execution_id, symbol)

    async def insert(connection: Connection) -> bool:
        cursor = await connection.execute(
            "INSERT INTO orders (order_ref, execution_id, symbol, action, quantity, order_type, status)"
            " VALUES (%s, %s, %s, %s, %s, 'MKT', 'INTENT') ON CONFLICT (order_ref) DO NOTHING",
            (ref, execution_id, symbol, action, quantity),
        )
        return cursor.rowcount == 1

    made = await database.run(insert, what="record the order's intent")
    return await read_order(database, ref), not made


async def read_order(database: RunDatabase, ref: str) -> OrderRecord:
    """Read one order."""

    async def work(connection: Connection) -> OrderRecord:
        cursor = await connection.execute(f"SELECT {_COLUMNS} FROM orders WHERE order_ref = %s", (ref,))  # noqa: S608 - a constant
        return OrderRecord.model_validate(await cursor.fetchone())

    return await database.run(work, what="read an order")


async def orders_to_reconcile(database: RunDatabase, execution_id: str) -> list[OrderRecord]:
    """Read a run's orders, and those of earlier runs that were sent and whose end is not recorded."""

    async def work(connection: Connection) -> list[OrderRecord]:
        cursor = await connection.execute(
            f"SELECT {_COLUMNS} FROM orders WHERE execution_id = %s"  # noqa: S608 - a constant
            " OR (status IN ('SUBMITTED', 'PARTIAL', 'UNKNOWN') AND sent_at > now() - %s)"
            " ORDER BY created_at, order_ref",
            (execution_id, _OPEN_AT_MOST),
        )
        return [OrderRecord.model_validate(row) for row in await cursor.fetchall()]

    return await database.run(work, what="read the orders to reconcile")


async def claim_sending(
    database: RunDatabase, record: OrderRecord, *, client_id: int, token: UUID
) -> OrderRecord | None:
    """Commit that the order is about to be sent, if no other task has done so since the record was read.

    Args:
        database: the workflow's.
        record: as it was read.
        client_id: of the connection that it will be sent on.
        token: new for every time that an order is sent; it makes a repeat of this claim recognisable.

    Returns:
        The record as it is now, when the order may be sent by us; else None.
    """

    async def work(connection: Connection) -> OrderRecord | None:
        cursor = await connection.execute(
            "UPDATE orders SET send_token = %(token)s, client_id = %(client_id)s, sent_at = now(), updated_at = now(),"  # noqa: S608 - a constant
            " status = 'UNKNOWN', reason = 'being sent'"
            " WHERE order_ref = %(ref)s AND (send_token IS NOT DISTINCT FROM %(seen)s OR send_token = %(token)s)"
            f" AND {_IS_OPEN} RETURNING {_COLUMNS}",
            {"token": token, "client_id": client_id, "ref": record.order_ref, "seen": record.send_token},
        )
        row = await cursor.fetchone()
        return None if row is None else OrderRecord.model_validate(row)

    return await database.run(work, what="claim the sending of the order")


async def record_state(database: RunDatabase, record: OrderRecord, state: OrderState) -> OrderRecord:
    """Record what became of an order together with its executions, in one transaction, and read what is recorded now.

    The numbers of an order are always those of its trades. A state that is final is not taken back, nor is NOT_SENT
    recorded of an order that another process has sent meanwhile.
    """

    async def work(connection: Connection) -> OrderRecord:
        ref = record.order_ref
        # First, so that of two processes the second one sees all trades of the first.
        await connection.execute("SELECT 1 FROM orders WHERE order_ref = %s FOR UPDATE", (ref,))
        await write_trades(connection, record.execution_id, state.fills)
        cursor = await connection.execute(
            f"UPDATE orders SET status = CASE WHEN {_MAY_CHANGE} THEN %(status)s ELSE status END,"  # noqa: S608 - constants
            f" reason = CASE WHEN {_MAY_CHANGE} THEN %(reason)s ELSE reason END,"
            " perm_id = coalesce(%(perm_id)s, perm_id), filled = known.total, avg_price = known.mean,"
            " updated_at = now()"
            " FROM (SELECT coalesce(sum(shares), 0) AS total,"
            " trim_scale(round(sum(shares * price) / nullif(sum(shares), 0), 8)) AS mean"
            " FROM trades WHERE order_ref = %(ref)s) AS known"
            f" WHERE order_ref = %(ref)s RETURNING {_COLUMNS}",
            {"ref": ref, "status": state.status.value, "reason": state.reason, "perm_id": state.perm_id},
        )
        return OrderRecord.model_validate(await cursor.fetchone())

    return await database.run(work, what="record the order's state", budget_s=_AFTER_SENDING_S)
