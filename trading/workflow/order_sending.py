"""Sending one order on one connection, and following it until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ib_insync import MarketOrder

from trading.workflow.errors import GatewayLost
from trading.workflow.gateway import Gateway
from trading.workflow.market_data import Instrument
from trading.workflow.order_records import OrderRecord, OrderState, OrderStatus
from trading.workflow.order_search import follow, look_for

_DONE = frozenset({"Filled", "Cancelled", "ApiCancelled", "Inactive"})
# Errors that an order gets although it goes on: source, the library's own list of warnings, and 10349 (a default was
# filled in, after which the order is filled all the same).
_HARMLESS = frozenset({399, 10349, *range(2100, 2200)})
_CANCELLED = 202


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error that the gateway sent about the order.

    Args:
        code: the gateway's number.
        message: its words.
    """

    code: int
    message: str


# Without slots: up to Python 3.11.3 a class that they made anew cannot be referred to weakly, as events do.
@dataclass
class _Told:
    """What the library was told about one order while it was followed.

    What it makes of the messages is only a hint that something happened: it calls an order cancelled for any error
    that it does not know, and a late message puts it back. The gateway's own lists say what became of the order.

    Args:
        order_id: the client's id of the order.
        hint: set as soon as the order may be done, or the connection has ended.
    """

    order_id: int
    hint: asyncio.Event = field(default_factory=asyncio.Event)
    complaints: list[Complaint] = field(default_factory=list)

    def error(self, request_id: int, code: int, message: str, _contract: object) -> None:
        if request_id == self.order_id and code not in _HARMLESS:
            self.complaints.append(Complaint(code, message))
            self.hint.set()

    def status(self, trade: Any) -> None:
        if trade.order.orderId == self.order_id and trade.orderStatus.status in _DONE:
            self.hint.set()

    def ended(self, *_: object) -> None:
        self.hint.set()


async def send_and_follow(
    gateway: Gateway, instrument: Instrument, record: OrderRecord, *, follow_s: float
) -> OrderState:
    """Send a market order, wait until it is done, and ask the gateway's own lists what became of it.

    Args:
        gateway: connected and proven alive.
        instrument: what to trade.
        record: the order; its sending has been claimed.
        follow_s: seconds to wait for the order to be done; then its state at that time is the answer.

    Raises:
        GatewayLost: the connection ended: the order may have arrived or not.
        GatewaySilent: an answer was not complete in time.
    """
    ends_s = time.monotonic() + follow_s
    with _listening(gateway) as told:
        try:
            gateway.ib.placeOrder(instrument.contract(), _order(gateway, record, told.order_id))
        except ConnectionError as lost:
            raise GatewayLost(f"sending the order: {lost}") from lost
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(follow_s):
                await told.hint.wait()
        if not gateway.is_up:
            raise GatewayLost("the connection ended after the order was sent")
        state = await look_for(gateway, record, ends_s)
        if state is not None:
            state = await follow(gateway, record, state, ends_s)
        return _explained(state, told.complaints)


def _order(gateway: Gateway, record: OrderRecord, order_id: int) -> MarketOrder:
    return MarketOrder(
        record.action,
        # The library writes a decimal as its text; its annotation only knows floats.
        record.quantity,  # type: ignore[arg-type]
        orderId=order_id,
        orderRef=record.order_ref,
        account=gateway.account,
        tif="DAY",
    )


@contextlib.contextmanager
def _listening(gateway: Gateway) -> Iterator[_Told]:
    try:
        told = _Told(gateway.ib.client.getReqId())
    except ConnectionError as lost:
        raise GatewayLost(f"numbering the order: {lost}") from lost
    listeners = (
        (gateway.ib.errorEvent, told.error),
        (gateway.ib.orderStatusEvent, told.status),
        (gateway.ib.client.apiEnd, told.ended),
    )
    for event, listener in listeners:
        event.connect(listener)
    try:
        yield told
    finally:
        for event, listener in listeners:
            event.disconnect(listener)


def _explained(state: OrderState | None, complaints: list[Complaint]) -> OrderState:
    """Put the gateway's lists and its complaints together: only these tell a refused order from a cancelled one."""
    words = "; ".join(f"error {complaint.code}: {complaint.message}" for complaint in complaints)
    is_refused = any(complaint.code != _CANCELLED for complaint in complaints)
    if state is None:
        if words:
            return OrderState(status=OrderStatus.REJECTED if is_refused else OrderStatus.CANCELLED, reason=words)
        return OrderState(status=OrderStatus.UNKNOWN, reason="the order was sent, and the gateway has no trace of it")
    reason = "; ".join(part for part in (state.reason, words) if part) or None
    # The gateway lists an order that it refused (201) among the cancelled ones.
    refused = is_refused and state.status is OrderStatus.CANCELLED and not state.fills
    return state.model_copy(update={"status": OrderStatus.REJECTED if refused else state.status, "reason": reason})
