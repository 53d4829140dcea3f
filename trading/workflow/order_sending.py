"""Sending one order on one connection, and following it until it is done."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from ib_insync import MarketOrder

from trading.workflow.errors import GatewayLost
from trading.workflow.gateway import Gateway
from trading.workflow.market_data import Instrument
from trading.workflow.order_records import OrderRecord, OrderState, OrderStatus
from trading.workflow.order_search import FOLLOW_S, find

_DONE = frozenset({"Filled", "Cancelled", "ApiCancelled", "Inactive"})
# Errors that an order gets although it goes on: source, the library's own list of warnings, and 10349 (a default was
# filled in, after which the order is filled all the same).
_HARMLESS = frozenset({399, 10349})


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error that the gateway sent about the order.

    Args:
        code: the gateway's number.
        message: its words.
    """

    code: int
    message: str


async def send_and_follow(
    gateway: Gateway, instrument: Instrument, record: OrderRecord, *, follow_s: float = FOLLOW_S
) -> OrderState:
    """Send a market order and wait until it is done, then ask the gateway what became of it.

    What the library makes of the messages is only a hint that something happened: it calls an order cancelled for any
    error that it does not know. The answer is what the gateway's own lists say afterwards.

    Args:
        gateway: connected and proven alive.
        instrument: what to trade.
        record: the order; its sending has been claimed.
        follow_s: seconds to wait for the order to be done; then its state at that time is the answer.

    Raises:
        GatewayLost: the connection ended: the order may have arrived or not.
        GatewaySilent: an answer was not complete in time.
    """
    order = MarketOrder(
        record.action,
        # The library writes a decimal as its text; its annotation only knows floats.
        record.quantity,  # type: ignore[arg-type]
        orderRef=record.order_ref,
        account=gateway.account,
        tif="DAY",
    )
    changed = asyncio.Event()
    complaints: list[Complaint] = []
    order_id: int | None = None

    def on_error(request_id: int, code: int, message: str, _contract: object) -> None:
        if request_id == order_id and code not in _HARMLESS and not 2100 <= code < 2200:  # noqa: PLR2004 - the range of warnings
            complaints.append(Complaint(code, message))
        changed.set()

    def on_change(*_: object) -> None:
        changed.set()

    events = (gateway.ib.orderStatusEvent, gateway.ib.client.apiEnd)
    gateway.ib.errorEvent.connect(on_error)
    for event in events:
        event.connect(on_change)
    try:
        order_id = gateway.ib.client.getReqId()
        order.orderId = order_id
        trade = gateway.ib.placeOrder(instrument.contract(), order)
        await _until_done(gateway, trade, changed, follow_s)
    except ConnectionError as lost:
        raise GatewayLost(f"sending the order: {lost}") from lost
    finally:
        gateway.ib.errorEvent.disconnect(on_error)
        for event in events:
            event.disconnect(on_change)
    return await _truth(gateway, record, complaints)


async def _until_done(gateway: Gateway, trade: Any, changed: asyncio.Event, follow_s: float) -> None:
    ends_s = time.monotonic() + follow_s
    while trade.orderStatus.status not in _DONE:
        if not gateway.is_up:
            raise GatewayLost("the connection ended after the order was sent")
        changed.clear()
        try:
            async with asyncio.timeout(ends_s - time.monotonic()):
                await changed.wait()
        except TimeoutError:
            return


async def _truth(gateway: Gateway, record: OrderRecord, complaints: list[Complaint]) -> OrderState:
    found = await find(gateway, record)
    words = "; ".join(f"error {complaint.code}: {complaint.message}" for complaint in complaints) or None
    rejected = OrderState(status=OrderStatus.REJECTED, reason=words)
    if found is None:
        return (
            rejected
            if words
            else OrderState(status=OrderStatus.UNKNOWN, reason="the order was sent, and the gateway has no trace of it")
        )
    if found.status is OrderStatus.CANCELLED and words and not found.filled:
        # The gateway lists an order that it refused (201) among the cancelled ones.
        return rejected.model_copy(update={"perm_id": found.perm_id})
    return found if found.reason or not words else found.model_copy(update={"reason": words})
