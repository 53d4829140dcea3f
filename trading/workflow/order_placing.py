"""Placing an order at most once, also when the connection, the task or the machine fails at any moment.

    intent committed ── was it there before? ── no ──────────┐
                              │ yes                          │
                              ▼                              ▼
            connect, search the gateway  ── found ──▶ record what became of it, with its executions
                              │ not found                              ▲
                              ▼                                        │
            prove the connection alive ─▶ claim the sending (compare and set, committed) ─▶ send, follow
                              ▲                                                               │
            search again ─────┴───────────────────── connection lost ◀───────────────────────┘

Three things make "not found" safe to act upon. The fence: an order that may have been sent is searched for, and sent
again, only under the client id that it was sent under. The gateway lets one connection hold an id (326), so while we
hold it, the connection that carried the order has ended, and nothing more can come out of it. The claim: of several
processes that have read the same record, one may send. The servers: what a gateway does not list while it has lost
them (1100) is not missing, so it is looked for again when they are back.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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
from trading.workflow.order_search import follow, look_for
from trading.workflow.order_sending import send_and_follow
from trading.workflow.run_database import RunDatabase

log = get_events(__name__)

FOLLOW_S = 20.0
# Beyond the time for reconnecting and following: the last attempt may begin late, and each of its answers come late.
_SLACK_S = 20.0
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
        follow_s: seconds for which an order is followed; one that is not done then is recorded as it stands.
    """

    def __init__(
        self,
        database: RunDatabase,
        broker: Broker,
        execution_id: str,
        *,
        reconnect_s: float,
        follow_s: float = FOLLOW_S,
    ) -> None:
        self._database = database
        self._broker = broker
        self._execution_id = execution_id
        self._reconnect_s = reconnect_s
        self._follow_s = follow_s
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
        limit_s = self._reconnect_s + self._follow_s + _SLACK_S
        try:
            async with asyncio.timeout(limit_s):
                return await self._pursue(record, instrument, in_doubt=was_there)
        except TimeoutError as late:
            await self.close()
            return await self._give_up(record, GatewaySilent(f"no end within {limit_s:g} s"), late)

    async def _pursue(self, record: OrderRecord, instrument: Instrument, *, in_doubt: bool) -> Placed:
        """Make attempts until one ends with a state, or the time for reconnecting is over."""
        ends_s = time.monotonic() + self._reconnect_s
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
                    return await self._give_up(record, failure, failure)
                await self._broker.pause(attempt)
            except GatewayUnavailable as failure:
                return await self._give_up(record, failure, failure)
            else:
                if state is not None:
                    return await self._settled(record, state, reconciled=in_doubt)
            in_doubt = True
            record = await read_order(self._database, record.order_ref)

    async def _search_or_send(
        self, record: OrderRecord, instrument: Instrument, ends_s: float, *, in_doubt: bool
    ) -> OrderState | None:
        """Make one attempt; None when another process has claimed the sending meanwhile."""
        gateway = await self._connected(record, ends_s)
        await gateway.prove_alive(patience_s=ends_s - time.monotonic())
        if in_doubt:
            state = await self._search(gateway, record)
            if state is not None:
                return state
            await gateway.prove_alive(patience_s=ends_s - time.monotonic())
        token = uuid.uuid4()
        claimed = await claim_sending(self._database, record, client_id=gateway.client_id, token=token)
        log.info("order_claimed", order_ref=record.order_ref, client_id=gateway.client_id, claimed=claimed is not None)
        if claimed is None:
            return None
        return await send_and_follow(gateway, instrument, claimed, follow_s=self._follow_s)

    async def _connected(self, record: OrderRecord, ends_s: float) -> Gateway:
        fence = None if record.client_id is None else (record.client_id,)
        gateway = self._gateway
        if gateway is None or not gateway.is_up or (fence and gateway.client_id not in fence):
            await self.close()
            gateway = await self._broker.connect(budget_s=ends_s - time.monotonic(), client_ids=fence)
            self._gateway = gateway
        return gateway

    async def _search(self, gateway: Gateway, record: OrderRecord) -> OrderState | None:
        ends_s = time.monotonic() + self._follow_s
        state = await look_for(gateway, record, ends_s)
        if state is not None:
            return await follow(gateway, record, state, ends_s)
        if record.sent_at is not None and datetime.now(UTC) - record.sent_at > _GATEWAY_REMEMBERS:
            return OrderState(
                status=OrderStatus.UNKNOWN,
                reason=f"it may have been sent at {record.sent_at.isoformat()}, too long ago for the gateway to tell",
            )
        return None

    async def _settled(self, record: OrderRecord, state: OrderState, *, reconciled: bool) -> Placed:
        record = await record_state(self._database, record, state)
        log.info(
            "order_recorded",
            order_ref=record.order_ref,
            status=record.status,
            filled=record.filled,
            perm_id=record.perm_id,
            reconciled=reconciled,
        )
        if record.status is OrderStatus.UNKNOWN:
            raise OrderUnknown(f"order {record.order_ref}: {state.reason}")
        return Placed(record, reconciled)

    async def _give_up(self, record: OrderRecord, failure: WorkflowError, cause: Exception) -> Placed:
        """Record that it could not be found out; returns only when the order's end is recorded already."""
        # Not of an order that was sent: its record says so, and keeps it.
        state = OrderState(status=OrderStatus.NOT_SENT, reason=str(failure))
        record = await record_state(self._database, record, state)
        if record.status is OrderStatus.NOT_SENT:
            raise GatewayUnavailable(f"order {record.order_ref} was not sent: {failure}") from cause
        reason = f"it may have been sent, and the gateway could not be asked: {failure}"
        record = await record_state(self._database, record, OrderState(status=OrderStatus.UNKNOWN, reason=reason))
        if record.status is OrderStatus.UNKNOWN:
            raise OrderUnknown(f"order {record.order_ref}: {reason}") from cause
        return Placed(record, reconciled=True)

    async def close(self) -> None:
        """End the connection, if there is one."""
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.close()
