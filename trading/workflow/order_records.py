"""The table orders: what we meant to send, whether we may have sent it, and what became of it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from trading.workflow.run_database import Connection, RunDatabase

_COLUMNS = (
    "order_ref, execution_id, symbol, action, quantity, order_type, status, perm_id, filled, avg_price, reason,"
    " client_id, send_token, sent_at"
)
_AFTER_SENDING_S = 30.0


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
        """Whether nothing more can happen to the order at the gateway."""
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
    """What became of an order, as far as it was found out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: OrderStatus
    perm_id: int | None = None
    filled: Decimal = Decimal(0)
    avg_price: Decimal | None = None
    reason: str | None = None


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


async def orders_of(database: RunDatabase, execution_id: str) -> list[OrderRecord]:
    """Read a run's orders."""

    async def work(connection: Connection) -> list[OrderRecord]:
        cursor = await connection.execute(
            f"SELECT {_COLUMNS} FROM orders WHERE execution_id = %s ORDER BY created_at, order_ref",  # noqa: S608 - a constant
            (execution_id,),
        )
        return [OrderRecord.model_validate(row) for row in await cursor.fetchall()]

    return await database.run(work, what="read the run's orders")


async def claim_sending(database: RunDatabase, record: OrderRecord, *, client_id: int, token: UUID) -> bool:
    """Commit that the order is about to be sent, if nobody else has done so since the record was read.

    Args:
        database: the workflow's.
        record: as it was read.
        client_id: of the connection that it will be sent on.
        token: new for every time that an order is sent; it makes a repeat of this claim recognisable.

    Returns:
        Whether the order may be sent now, by us.
    """

    async def work(connection: Connection) -> bool:
        cursor = await connection.execute(
            "UPDATE orders SET send_token = %(token)s, client_id = %(client_id)s, sent_at = now(), updated_at = now(),"
            " status = 'UNKNOWN', reason = 'being sent'"
            " WHERE order_ref = %(ref)s AND (send_token IS NOT DISTINCT FROM %(seen)s OR send_token = %(token)s)",
            {"token": token, "client_id": client_id, "ref": record.order_ref, "seen": record.send_token},
        )
        return cursor.rowcount == 1

    return await database.run(work, what="claim the sending of the order")


async def record_state(database: RunDatabase, ref: str, state: OrderState) -> OrderRecord:
    """Record what became of an order; a state that is final is never taken back."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "UPDATE orders SET status = %(status)s, perm_id = coalesce(%(perm_id)s, perm_id), filled = %(filled)s,"
            " avg_price = %(avg_price)s, reason = %(reason)s, updated_at = now()"
            " WHERE order_ref = %(ref)s"
            " AND (status NOT IN ('FILLED', 'REJECTED', 'CANCELLED') OR %(status)s IN ('FILLED', 'CANCELLED'))",
            {**state.model_dump(), "status": state.status.value, "ref": ref},
        )

    await database.run(work, what="record the order's state", budget_s=_AFTER_SENDING_S)
    return await read_order(database, ref)
