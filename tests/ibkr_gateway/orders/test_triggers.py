"""Stops with a limit, and stops that follow the price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fixtures.ibkr_gateway.broker.order import Action, OrderType, Status
from tests.ibkr_gateway.orders.exchange_floor import Floor

SELL, STOP_LIMIT, TRAIL = Action.SELL, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP


def test_stop_limit_is_triggered_and_then_keeps_its_limit(floor: Floor) -> None:
    """Triggered by a fall below its limit, it rests as Submitted, and fills when the price is back."""
    order = floor.place(SELL, 10, STOP_LIMIT, stop=98, limit=97.5)
    assert floor.status(order) is Status.PRE_SUBMITTED
    floor.move_to(97)
    floor.settle()
    assert (floor.status(order), floor.fills) == (Status.SUBMITTED, [])
    floor.move_to(97.51)
    floor.settle()
    assert [execution.price for _, execution in floor.fills] == [Decimal("97.50")]


@pytest.mark.parametrize(
    ("terms", "start"),
    [
        ({"trail_amount": 2}, "98"),
        ({"trail_percent": 1.5}, "98.50"),
        ({"trail_amount": 2, "trail_stop_price": 99}, "99"),
    ],
    ids=["amount", "percent", "given-start"],
)
def test_trailing_stop_starts_where_it_is_said(floor: Floor, terms: dict[str, float], start: str) -> None:
    """At its distance from the last price, or at the price that the client names."""
    order = floor.place(SELL, 10, TRAIL, **terms)
    assert (floor.order(order).stop_price, floor.status(order)) == (Decimal(start), Status.PRE_SUBMITTED)


def test_trailing_stop_follows_up_and_never_down(floor: Floor) -> None:
    """It sells two dollars below the highest price since it came, at the market."""
    order = floor.place(SELL, 10, TRAIL, trail_amount=2)
    for price, stop in ((103, 101), (101.5, 101), (104, 102), (102.5, 102)):
        floor.move_to(price)
        assert floor.order(order).stop_price == stop
        assert floor.timers() == 0
    floor.move_to(101.9)
    floor.settle()
    assert [execution.price for _, execution in floor.fills] == [Decimal("101.89")]


def test_trailing_stop_to_buy_follows_down(floor: Floor) -> None:
    """The same from below."""
    order = floor.place(order_type=TRAIL, trail_percent=1)
    floor.move_to(90)
    assert floor.order(order).stop_price == Decimal("90.90")
    floor.move_to(91)
    floor.settle()
    assert floor.status(order) is Status.FILLED


def test_change_of_other_terms_does_not_loosen_a_trailing_stop(floor: Floor) -> None:
    """A client that changes its size keeps the stop where it has come to."""
    order = floor.place(SELL, 10, TRAIL, trail_amount=2)
    floor.move_to(105)
    floor.move_to(104)
    floor.broker.book.change_ticket(order, replace(floor.order(order).ticket, quantity=Decimal(7)))
    floor.broker.work(order)
    assert floor.order(order).stop_price == 103
    assert floor.size(order) == 7


def test_trailing_stop_of_a_bracket_starts_with_its_parents_fill(floor: Floor) -> None:
    """What the price did before is not its own."""
    parent = floor.place(order_type=OrderType.LIMIT, limit=95, transmit=False)
    trail = floor.place(SELL, 10, TRAIL, trail_amount=2, parent=parent)
    floor.move_to(110)
    assert floor.order(trail).stop_price is None
    floor.move_to(94.9)
    floor.settle()
    assert floor.order(trail).stop_price == Decimal("92.9")
