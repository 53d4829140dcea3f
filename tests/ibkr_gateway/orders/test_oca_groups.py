"""One-cancels-all groups of each type, and orders that never rest."""

from __future__ import annotations

import pytest

from fixtures.ibkr_gateway.broker.order import Action, OcaType, OrderType, Status, TimeInForce
from tests.ibkr_gateway.orders.exchange_floor import Floor

SELL, LIMIT, STOP = Action.SELL, OrderType.LIMIT, OrderType.STOP


def pair(floor: Floor, oca_type: OcaType, quantities: tuple[int, int] = (10, 10)) -> tuple[int, int]:
    """Place two orders of one group that the market takes at once."""
    first, second = (floor.place(quantity=quantity, oca_group="g", oca_type=oca_type) for quantity in quantities)
    return first, second


@pytest.mark.parametrize("oca_type", OcaType)
def test_group_never_fills_twice_when_both_prices_are_met(floor: Floor, oca_type: OcaType) -> None:
    """Both fills were on their way; the second one never comes."""
    first, second = pair(floor, oca_type)
    assert floor.timers() == 2
    floor.fire(1)
    floor.settle()
    assert (floor.status(second), floor.status(first)) == (Status.FILLED, Status.CANCELLED)
    assert len(floor.fills) == 1


def test_first_piece_cancels_the_others_with_type_1(floor_in_pieces: Floor) -> None:
    """The order itself goes on to its end."""
    first, second = pair(floor_in_pieces, OcaType.CANCEL_WITH_BLOCK)
    floor_in_pieces.fire()
    assert floor_in_pieces.status(second) is Status.CANCELLED
    floor_in_pieces.settle()
    assert floor_in_pieces.filled(first) == 10


@pytest.mark.parametrize("oca_type", [OcaType.REDUCE_WITH_BLOCK, OcaType.REDUCE_NON_BLOCK])
def test_piece_reduces_the_others_by_the_same_part(floor_in_pieces: Floor, oca_type: OcaType) -> None:
    """Two of ten are a fifth: of the other one's twenty, sixteen are left."""
    floor = floor_in_pieces
    first, second = pair(floor, oca_type, (10, 20))
    floor.fire()
    assert (floor.filled(first), floor.size(second)) == (2, 16)
    assert floor.status(second) is Status.SUBMITTED


def test_cancelling_one_of_a_group_leaves_the_others(floor: Floor) -> None:
    """Only a fill speaks for all of them."""
    first = floor.place(order_type=LIMIT, limit=90, oca_group="g")
    second = floor.place(order_type=LIMIT, limit=91, oca_group="g")
    floor.broker.cancel(first)
    assert floor.status(second) is Status.SUBMITTED


def test_entries_of_two_brackets_cancel_each_other_with_their_children(floor: Floor) -> None:
    """A breakout to one side takes the other side's bracket away, whole."""
    long = floor.place(order_type=STOP, stop=101, oca_group="entry", transmit=False)
    long_stop = floor.place(SELL, 10, STOP, stop=99, parent=long)
    short = floor.place(SELL, 10, STOP, stop=98, oca_group="entry", transmit=False)
    short_stop = floor.place(order_type=STOP, stop=102, parent=short)
    floor.move_to(101)
    floor.settle()
    statuses = [floor.status(perm_id) for perm_id in (long, long_stop, short, short_stop)]
    assert statuses == [Status.FILLED, Status.PRE_SUBMITTED, Status.CANCELLED, Status.CANCELLED]


@pytest.mark.parametrize("time_in_force", [TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
def test_immediate_order_away_from_the_market_is_cancelled(floor: Floor, time_in_force: TimeInForce) -> None:
    """It never rests: the price may come a moment later."""
    order = floor.place(order_type=LIMIT, limit=99, time_in_force=time_in_force)
    assert (floor.status(order), floor.cancels) == (Status.CANCELLED, [order])
    floor.move_to(98)
    assert floor.timers() == 0


def test_immediate_or_cancel_keeps_what_it_got(floor_in_pieces: Floor) -> None:
    """When the price leaves it after a piece, the rest is cancelled."""
    floor = floor_in_pieces
    order = floor.place(order_type=LIMIT, limit=100.01, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
    floor.fire()
    floor.move_to(101)
    floor.settle()
    assert (floor.status(order), floor.filled(order)) == (Status.CANCELLED, 2)


def test_fill_or_kill_fills_in_one_piece(floor_in_pieces: Floor) -> None:
    """However many pieces other orders take."""
    order = floor_in_pieces.place(order_type=LIMIT, limit=101, time_in_force=TimeInForce.FILL_OR_KILL)
    floor_in_pieces.settle()
    assert [(int(done.shares), each.perm_id) for each, done in floor_in_pieces.fills] == [(10, order)]


def test_fill_or_kill_that_could_fill_in_part_only_is_killed(floor: Floor) -> None:
    """Not one share of it fills."""
    floor.allowed = floor.size(floor.place(quantity=4))
    floor.settle()
    order = floor.place(quantity=5, time_in_force=TimeInForce.FILL_OR_KILL)
    floor.settle()
    assert (floor.status(order), floor.filled(order)) == (Status.CANCELLED, 0)
