"""A broker without a gateway around it, and what it tells; its timers run only while a test lets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVarTuple

from fixtures.ibkr_gateway.broker.broker import Broker
from fixtures.ibkr_gateway.broker.order import Action, Execution, Order, OrderType, Status, Ticket, TimeInForce
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

_Ts = TypeVarTuple("_Ts")
_MARKET = Market(date(2026, 11, 20), load_trading_days(), {}, seed=1)


class _CountingLoop(asyncio.SelectorEventLoop):
    """Counts the timers that are set, and keeps what goes wrong in them."""

    def __init__(self) -> None:
        super().__init__()
        self.timers_set = 0
        self.errors: list[object] = []
        self.set_exception_handler(lambda _loop, context: self.errors.append(context))

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.timers_set += 1
        return super().call_later(delay, callback, *args, context=context)


class RecordedBroker:
    """A broker of one made-up stock that fills without delay.

    Args:
        symbol: the stock's.
        pieces: in how many executions an order fills.
    """

    def __init__(self, symbol: str, pieces: int = 1) -> None:
        # One for all, because it takes long to make.
        self.market = _MARKET
        self.market.reset()
        self.symbol = symbol
        self.executions: list[Execution] = []
        self.statuses: list[Status] = []
        self._done = asyncio.Event()
        self._loop = _CountingLoop()
        self.broker = Broker(self.market, self._loop, lambda: datetime.now(UTC), 1, self)
        self.broker.fill_delay_s, self.broker.fill_pieces = 0, pieces

    def close(self) -> None:
        """Give the loop back; nothing may have gone wrong in it."""
        self._loop.close()
        assert self._loop.errors == []

    @property
    def timers_set(self) -> int:
        """How many timers were set, by the broker and by waiting for it."""
        return self._loop.timers_set

    def place(
        self,
        action: Action,
        quantity: Decimal,
        *,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
    ) -> int:
        """Place a limit or stop order, or a market order if there is no price, and return its permanent id."""
        instrument = self.market.instruments.named(self.symbol)
        assert instrument is not None
        order_type = OrderType.LIMIT if limit_price else OrderType.STOP if stop_price else OrderType.MARKET
        ticket = Ticket(
            instrument=instrument,
            exchange="SMART",
            action=action,
            quantity=quantity,
            order_type=order_type,
            limit_price=limit_price,
            stop_price=stop_price,
            time_in_force=TimeInForce.DAY,
            order_ref="",
            outside_rth=False,
        )
        order = self.broker.accept(1, 1, "DU1", ticket)
        self._done.clear()
        self.broker.work(order.perm_id)
        return order.perm_id

    def run_timers(self) -> None:
        """Let the timers that are due run once; those that they set have to wait."""
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()

    def wait_until_done(self) -> None:
        """Let timers run until the order that was placed last is filled or cancelled."""
        self._loop.run_until_complete(asyncio.wait_for(self._done.wait(), 5))

    def order_changed(self, order: Order) -> None:
        """Remember a status."""
        self.statuses.append(order.status)
        if order.status.is_done:
            self._done.set()

    def order_filled(self, order: Order, execution: Execution) -> None:
        """Remember an execution."""
        self.executions.append(execution)
        self.order_changed(order)

    def order_cancelled(self, order: Order, reason: str) -> None:
        """That it was cancelled is remembered already."""

    def stop_trailed(self, order: Order) -> None:
        """The book knows where it stands."""

    def shares_to_fill(self, _order: Order, shares: Decimal) -> Decimal:
        """Let all of them fill."""
        return shares
