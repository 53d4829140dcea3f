"""Orders that wait for their price while prices move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from fixtures.ibkr_gateway.broker.order import Action, Status
from fixtures.ibkr_gateway.market.bars import CENT
from fixtures.ibkr_gateway.market.market import Quote
from tests.ibkr_gateway.recorded_broker import RecordedBroker

SHARES = Decimal(10)
_MOST_TICKS = 10_000


@pytest.fixture
def recorded() -> Iterator[RecordedBroker]:
    """A broker that fills in two pieces."""
    made = RecordedBroker("ZQX", pieces=2)
    yield made
    made.close()


def tick_until(recorded: RecordedBroker, holds: Callable[[Quote], bool]) -> Quote:
    """Let prices move, and the broker know it, until a quote is as it should be."""
    for _ in range(_MOST_TICKS):
        recorded.market.tick(moves=True)
        recorded.broker.prices_moved()
        quote = recorded.market.quote(recorded.symbol)
        if holds(quote):
            return quote
    raise AssertionError(f"not within {_MOST_TICKS} ticks; the last quote: {quote}")


def test_resting_order_costs_no_timer(recorded: RecordedBroker) -> None:
    """While its price does not come, nothing is to be done about it."""
    recorded.place(Action.BUY, SHARES, limit_price=CENT)
    for _ in range(20):
        recorded.market.tick(moves=True)
        recorded.broker.prices_moved()
        recorded.run_timers()
    assert recorded.timers_set == 0
    assert recorded.statuses == [Status.PRE_SUBMITTED, Status.SUBMITTED]


def test_changed_order_waits_once(recorded: RecordedBroker) -> None:
    """A resting order that is given a price at which it fills does not rest any more."""
    perm_id = recorded.place(Action.BUY, SHARES, limit_price=CENT)
    book = recorded.broker.book
    book.change_ticket(perm_id, replace(book.get(perm_id).ticket, limit_price=Decimal(100_000)))
    recorded.broker.work(perm_id)
    recorded.broker.prices_moved()
    recorded.wait_until_done()
    recorded.run_timers()
    assert [execution.shares for execution in recorded.executions] == [5, 5]


def test_limit_order_rests_again_when_the_price_leaves_it(recorded: RecordedBroker) -> None:
    """Between two pieces it waits until the price comes back, and never pays more than its limit."""
    limit = recorded.market.quote("ZQX").ask - 5 * CENT
    perm_id = recorded.place(Action.BUY, SHARES, limit_price=limit)
    tick_until(recorded, lambda quote: quote.ask <= limit)
    recorded.run_timers()
    assert [execution.shares for execution in recorded.executions] == [5]
    tick_until(recorded, lambda quote: quote.ask > limit)
    recorded.run_timers()
    recorded.run_timers()
    assert recorded.broker.book.get(perm_id).status is Status.SUBMITTED
    assert len(recorded.executions) == 1
    back = tick_until(recorded, lambda quote: quote.ask <= limit)
    recorded.wait_until_done()
    assert [execution.shares for execution in recorded.executions] == [5, 5]
    assert recorded.executions[1].price == back.ask <= limit


def test_triggered_stop_fills_wherever_the_price_goes(recorded: RecordedBroker) -> None:
    """It is triggered by the last price, once, and is a market order from then on."""
    stop = recorded.market.quote("ZQX").last - 5 * CENT
    recorded.place(Action.SELL, SHARES, stop_price=stop)
    assert recorded.statuses == [Status.PRE_SUBMITTED]
    tick_until(recorded, lambda quote: quote.last <= stop)
    assert recorded.statuses == [Status.PRE_SUBMITTED, Status.SUBMITTED]
    away = tick_until(recorded, lambda quote: quote.last > stop)
    recorded.wait_until_done()
    assert {execution.price for execution in recorded.executions} == {away.bid}
    assert recorded.statuses[2:] == [Status.SUBMITTED, Status.FILLED]


def test_cancelled_order_no_longer_waits(recorded: RecordedBroker) -> None:
    """Its price may come; nothing fills."""
    limit = recorded.market.quote("ZQX").ask - 5 * CENT
    recorded.broker.cancel(recorded.place(Action.BUY, SHARES, limit_price=limit))
    tick_until(recorded, lambda quote: quote.ask <= limit)
    recorded.run_timers()
    recorded.run_timers()
    assert recorded.executions == []
    assert recorded.statuses[-1] is Status.CANCELLED


def test_average_price_counts_every_piece_at_its_own(recorded: RecordedBroker) -> None:
    """Two pieces at two prices: the average lies between them, and the account paid each."""
    perm_id = recorded.place(Action.BUY, SHARES)
    recorded.run_timers()
    tick_until(recorded, lambda quote: quote.ask != recorded.executions[0].price)
    recorded.wait_until_done()
    first, second = recorded.executions
    assert first.price != second.price
    assert recorded.broker.book.get(perm_id).average_price == (first.price + second.price) / 2
    spent = 5 * first.price + 5 * second.price + first.commission + second.commission
    assert recorded.broker.account.cash == 1_000_000 - spent
