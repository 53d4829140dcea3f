"""Placing an order at most once, whatever happens to the connection, the task or the machine.

    intent committed ── was it there before? ── no ──────────┐
                              │ yes                          │
                              ▼                              ▼
            connect, search the gateway  ── found ──▶ record what became of it
                              │ not found
                              ▼
            prove the connection alive ─▶ claim the sending (compare and set, committed) ─▶ send, follow
                              ▲                                                               │
            search again ─────┴───────────────────── connection lost ◀───────────────────────┘

Two things make "not found" safe to act upon. The fence: an order that may have been sent is searched for, and sent
again, only under the client id that it was sent under. The gateway lets one connection hold an id (326), so while we
hold it, the connection that carried the order has ended, and nothing more can come out of it. The claim: of several
processes that have read the same record, one may send.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from trading.workflow.broker import Broker
from trading.workflow.errors import (
    GatewayLost,
    GatewayRefused,
    GatewaySilent,
    GatewayUnavailable,
    OrderUnknown,
    WorkflowError,
)
from trading.workflow.events import get_events
from trading.workflow.gateway import Gateway
from trading.workflow.market_data import Instrument
from trading.workflow.order_records import (
    OrderRecord,
    OrderState,
    OrderStatus,
    claim_sending,
    read_order,
    record_intent,
    record_state,
)
from trading.workflow.order_search import find, follow
from trading.workflow.order_sending import send_and_follow
from trading.workflow.run_database import RunDatabase

log = get_events(__name__)

# An order that has just arrived may reach the gateway's lists a moment later than the search.
_SECOND_LOOK_S = 0.5
# The gateway forgets completed orders and executions over night: absence proves nothing about an older order.
_GATEWAY_REMEMBERS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order and how its state was learned.

    Args:
        record: as it is recorded.
        reconciled: whether the gateway had to be searched for it.
    """

    record: OrderRecord
    reconciled: bool


class OrderPlacing:
    """Places one run's orders over one connection, which it makes anew when it is lost.

    Args:
        database: orders are recorded here before and after they are sent.
        broker: makes connections.
        execution_id: the run.
        reconnect_s: seconds of trouble with the gateway after which an order is given up.
    """

    def __init__(self, database: RunDatabase, broker: Broker, execution_id: str, *, reconnect_s: float) -> None:
        self._database = database
        self._broker = broker
        self._execution_id = execution_id
        self._reconnect_s = reconnect_s
        self._gateway: Gateway | None = None

    async def place(self, instrument: Instrument, action: str, quantity: Decimal) -> Placed:
        """Place an order, or find out what became of it.

        Raises:
            OrderUnknown: it may have been sent, and it could not be found out; recorded as UNKNOWN.
            GatewayUnavailable: it was not sent, since the gateway could not be reached; recorded as NOT_SENT.
            RunDatabaseUnavailable: it could not be recorded.
        """
        record, was_there = await record_intent(
            self._database,
            execution_id=self._execution_id,
            symbol=instrument.symbol,
            action=action,
            quantity=quantity,
        )
        log.info("order_intent", order_ref=record.order_ref, status=record.status, was_there=was_there)
        if record.status.is_final:
            return Placed(record, reconciled=False)
        ends_s = time.monotonic() + self._reconnect_s
        in_doubt = was_there
        attempt = 0
        while True:
            attempt += 1
            started_s = time.monotonic()
            try:
                state = await self._search_or_send(record, instrument, ends_s, in_doubt=in_doubt)
            except (GatewayLost, GatewaySilent, GatewayRefused) as failure:
                self._broker.lost("place_order", failure, attempt=attempt, started_s=started_s)
                await self.close()
                # A gateway that can be connected to, and then fails each time, must not hold the task for ever.
                if time.monotonic() >= ends_s:
                    await self._give_up(record.order_ref, failure)
            except GatewayUnavailable as failure:
                await self._give_up(record.order_ref, failure)
            else:
                if state is not None:
                    return await self._settled(record.order_ref, state, reconciled=in_doubt)
            in_doubt = True
            record = await read_order(self._database, record.order_ref)

    async def _search_or_send(
        self, record: OrderRecord, instrument: Instrument, ends_s: float, *, in_doubt: bool
    ) -> OrderState | None:
        """Make one attempt; None when another process has claimed the sending meanwhile."""
        gateway = await self._connected(record, ends_s)
        if in_doubt:
            state = await self._search(gateway, record)
            if state is not None:
                return state
        await gateway.prove_alive()
        token = uuid.uuid4()
        claimed = await claim_sending(self._database, record, client_id=gateway.client_id, token=token)
        log.info("order_claimed", order_ref=record.order_ref, client_id=gateway.client_id, claimed=claimed)
        return await send_and_follow(gateway, instrument, record) if claimed else None

    async def _connected(self, record: OrderRecord, ends_s: float) -> Gateway:
        fence = None if record.client_id is None else (record.client_id,)
        gateway = self._gateway
        if gateway is None or not gateway.is_up or (fence and gateway.client_id not in fence):
            await self.close()
            gateway = await self._broker.connect(budget_s=ends_s - time.monotonic(), client_ids=fence)
            self._gateway = gateway
        return gateway

    async def _search(self, gateway: Gateway, record: OrderRecord) -> OrderState | None:
        for look in (1, 2):
            state = await find(gateway, record)
            seen = "nothing" if state is None else state.status
            log.info("order_searched", order_ref=record.order_ref, look=look, found=seen)
            if state is not None:
                return await follow(gateway, record, state)
            if record.sent_at is None:
                return None
            await asyncio.sleep(_SECOND_LOOK_S)
        if record.sent_at is not None and datetime.now(UTC) - record.sent_at > _GATEWAY_REMEMBERS:
            return OrderState(
                status=OrderStatus.UNKNOWN,
                reason=f"it may have been sent at {record.sent_at.isoformat()}, too long ago for the gateway to tell",
            )
        return None

    async def _settled(self, order_ref: str, state: OrderState, *, reconciled: bool) -> Placed:
        record = await record_state(self._database, order_ref, state)
        log.info(
            "order_recorded",
            order_ref=order_ref,
            status=record.status,
            filled=record.filled,
            perm_id=record.perm_id,
            reconciled=reconciled,
        )
        if record.status is OrderStatus.UNKNOWN:
            raise OrderUnknown(f"order {order_ref}: {state.reason}")
        return Placed(record, reconciled)

    async def _give_up(self, order_ref: str, failure: WorkflowError) -> NoReturn:
        record = await read_order(self._database, order_ref)
        if record.sent_at is None:
            state = OrderState(status=OrderStatus.NOT_SENT, reason=str(failure))
            await record_state(self._database, order_ref, state)
            raise GatewayUnavailable(f"order {order_ref} was not sent: {failure}") from failure
        reason = f"it may have been sent, and the gateway could not be asked: {failure}"
        await record_state(self._database, order_ref, OrderState(status=OrderStatus.UNKNOWN, reason=reason))
        raise OrderUnknown(f"order {order_ref}: {reason}") from failure

    async def close(self) -> None:
        """End the connection, if there is one."""
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.close()
