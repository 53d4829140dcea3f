"""A broker whose prices and timers move only when a test says so, and what it has told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVarTuple

from fixtures.ibkr_gateway.broker.broker import Broker
from fixtures.ibkr_gateway.broker.order import Action, Execution, Order, OrderType, Status, Ticket, TimeInForce
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

_Ts = TypeVarTuple("_Ts")
SYMBOL = "ZQX"
_MARKET = Market(date(2026, 11, 20), load_trading_days(), {}, seed=1)


class _HeldLoop(asyncio.SelectorEventLoop):
    """Keeps timers until a test lets one fire."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[asyncio.TimerHandle] = []

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(delay, callback, args, self, context)
        self.held.append(handle)
        return handle

    def waiting(self) -> list[asyncio.TimerHandle]:
        """Return the timers that still mean something."""
        self.held = [handle for handle in self.held if not handle.cancelled()]
        return self.held


class Floor:
    """A broker of one stock, which stands at 100 dollars, bid and offered a cent beside it.

    Args:
        pieces: in how many executions an order fills.
    """

    def __init__(self, pieces: int = 1) -> None:
        # One for all, because it takes long to make.
        _MARKET.reset()
        self.fills: list[tuple[Order, Execution]] = []
        self.statuses: dict[int, list[Status]] = {}
        self.cancels: list[int] = []
        self.allowed: int | None = None
        self._loop = _HeldLoop()
        self.broker = Broker(_MARKET, self._loop, lambda: datetime.now(UTC), 1, self)
        self.broker.fill_pieces = pieces
        self._next_order_id = 1
        self.move_to(100)

    def close(self) -> None:
        """Give the loop back."""
        self._loop.close()

    def place(
        self,
        action: Action = Action.BUY,
        quantity: int = 10,
        order_type: OrderType = OrderType.MARKET,
        **more: Any,
    ) -> int:
        """Place an order, as the gateway does, and return its permanent id; ``parent`` names another one's."""
        instrument = _MARKET.instruments.named(SYMBOL)
        assert instrument is not None
        parent = more.pop("parent", None)
        ticket = Ticket(
            instrument=instrument,
            exchange="SMART",
            action=action,
            quantity=Decimal(quantity),
            order_type=order_type,
            limit_price=_price(more.pop("limit", None)),
            stop_price=_price(more.pop("stop", None)),
            time_in_force=more.pop("time_in_force", TimeInForce.DAY),
            order_ref="",
            outside_rth=False,
            parent_id=0 if parent is None else self.order(parent).order_id,
            trail_amount=_price(more.pop("trail_amount", None)),
            trail_percent=_price(more.pop("trail_percent", None)),
            trail_stop_price=_price(more.pop("trail_stop_price", None)),
            **more,
        )
        order = self.broker.accept(1, self._next_order_id, "DU1", ticket)
        self._next_order_id += 1
        self.work(order.perm_id)
        return order.perm_id

    def work(self, perm_id: int) -> None:
        """Have an order worked with what of its family waited for it."""
        for ready in self.broker.transmit(perm_id):
            if not self.order(ready.perm_id).status.is_done:
                self.broker.work(ready.perm_id)

    def order(self, perm_id: int) -> Order:
        """Return an order as it stands."""
        return self.broker.book.get(perm_id)

    def filled(self, perm_id: int) -> int:
        """Return how many shares of an order are filled."""
        return int(self.order(perm_id).filled)

    def size(self, perm_id: int) -> int:
        """Return how large an order is, in shares."""
        return int(self.order(perm_id).ticket.quantity)

    def status(self, perm_id: int) -> Status:
        """Return where an order stands."""
        return self.order(perm_id).status

    def move_to(self, dollars: float) -> None:
        """Trade at a price, and let the broker know it."""
        _MARKET.quote(SYMBOL)
        _MARKET._tapes[SYMBOL].last = Decimal(str(dollars))
        self.broker.prices_moved()

    def timers(self) -> int:
        """Return how many fills are on their way."""
        return len(self._loop.waiting())

    def fire(self, number: int = 0) -> None:
        """Let one of the timers fire, the first one set as 0."""
        self._loop.waiting().pop(number)._run()

    def settle(self) -> None:
        """Let timers fire until none is left."""
        for _ in range(10_000):
            if not self.timers():
                return
            self.fire()
        raise AssertionError("timers without an end")

    def order_changed(self, order: Order) -> None:
        """Remember where an order stands."""
        self.statuses.setdefault(order.perm_id, []).append(order.status)

    def order_filled(self, order: Order, execution: Execution) -> None:
        """Remember an execution."""
        self.fills.append((order, execution))
        self.order_changed(order)

    def order_cancelled(self, order: Order, _reason: str) -> None:
        """Remember who is told of a cancel."""
        self.cancels.append(order.perm_id)

    def stop_trailed(self, order: Order) -> None:
        """The book knows where it stands."""

    def shares_to_fill(self, _order: Order, shares: Decimal) -> Decimal:
        """Let all of them fill, or as many as the test allows."""
        return shares if self.allowed is None else min(shares, Decimal(self.allowed))


def _price(dollars: float | None) -> Decimal | None:
    return None if dollars is None else Decimal(str(dollars))
