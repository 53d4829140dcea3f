"""Parents and children: what waits for what, and what goes with what."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fixtures.ibkr_gateway.broker.order import Action, OrderType, Status, TimeInForce
from tests.ibkr_gateway.orders.exchange_floor import Floor

SELL, LIMIT, STOP = Action.SELL, OrderType.LIMIT, OrderType.STOP


def bracket(floor: Floor, *, entry: float | None = 100.01, quantity: int = 10, held: bool = True) -> list[int]:
    """Place a bracket as clients do: parent and target held, all released with the stop."""
    kind = OrderType.MARKET if entry is None else LIMIT
    parent = floor.place(quantity=quantity, order_type=kind, limit=entry, transmit=not held)
    target = floor.place(SELL, quantity, LIMIT, limit=110, parent=parent, transmit=not held)
    stop = floor.place(SELL, quantity, STOP, stop=90, parent=parent)
    return [parent, target, stop]


def statuses(floor: Floor, perm_ids: list[int]) -> list[Status]:
    """Return where each order stands."""
    return [floor.status(perm_id) for perm_id in perm_ids]


def test_untransmitted_order_is_held_until_one_of_its_family_is_transmitted(floor: Floor) -> None:
    """Nothing of it is worked, and no client hears of it; then the parent is worked first."""
    parent = floor.place(transmit=False)
    target = floor.place(SELL, 10, LIMIT, limit=110, parent=parent, transmit=False)
    assert (statuses(floor, [parent, target]), floor.timers()) == ([Status.API_PENDING] * 2, 0)
    stop = floor.place(SELL, 10, STOP, stop=90, parent=parent)
    assert statuses(floor, [parent, target, stop]) == [Status.SUBMITTED, Status.PRE_SUBMITTED, Status.PRE_SUBMITTED]
    assert list(floor.statuses) == [parent, target, stop]
    assert floor.timers() == 1


def test_children_rest_until_their_parent_fills(floor: Floor) -> None:
    """Their prices may come meanwhile; nothing of them fills, and they are PreSubmitted."""
    orders = bracket(floor, entry=95)
    for price in (120, 80.5, 120):
        floor.broker.book.change_ticket(orders[0], replace(floor.order(orders[0]).ticket, limit_price=Decimal(10)))
        floor.move_to(price)
    assert statuses(floor, orders)[1:] == [Status.PRE_SUBMITTED] * 2
    assert (floor.fills, floor.timers()) == ([], 0)


def test_filled_parent_lets_its_children_work(floor: Floor) -> None:
    """The target is at the exchange then, and the stop waits for its trigger."""
    orders = bracket(floor)
    floor.settle()
    assert statuses(floor, orders) == [Status.FILLED, Status.SUBMITTED, Status.PRE_SUBMITTED]
    assert floor.order(orders[2]).why_held == "child,trigger"


@pytest.mark.parametrize("price", [111, 89])
def test_filled_exit_cancels_the_other(floor: Floor, price: float) -> None:
    """The position is flat, and nothing is left that could open another one."""
    orders = bracket(floor)
    floor.settle()
    floor.move_to(price)
    floor.settle()
    filled, cancelled = orders[1:] if price > 100 else reversed(orders[1:])
    assert (floor.status(filled), floor.status(cancelled)) == (Status.FILLED, Status.CANCELLED)
    assert floor.cancels == [cancelled]
    floor.move_to(89 if price > 100 else 111)
    floor.settle()
    assert [held.quantity for held in floor.broker.account.positions.values()] == [0]


def test_children_follow_the_partial_fills_of_their_parent(floor_in_pieces: Floor) -> None:
    """Of a parent that has two of ten, its exits may sell two, and are as large as ten all the same."""
    floor = floor_in_pieces
    orders = bracket(floor)
    floor.fire()
    floor.move_to(120)
    assert (floor.filled(orders[0]), floor.size(orders[1])) == (2, 10)
    floor.broker.book.change_ticket(orders[0], replace(floor.order(orders[0]).ticket, limit_price=Decimal(10)))
    floor.settle()
    assert (floor.filled(orders[1]), floor.status(orders[1])) == (2, Status.SUBMITTED)


def test_cancelled_parent_takes_its_children_with_it(floor: Floor) -> None:
    """Nothing of the bracket is left, and each is told."""
    orders = bracket(floor, entry=50)
    floor.broker.cancel(orders[0])
    assert statuses(floor, orders) == [Status.CANCELLED] * 3
    assert floor.cancels == orders


def test_refused_parent_takes_its_children_with_it(floor: Floor) -> None:
    """The same when IB's servers refuse it."""
    orders = bracket(floor, entry=50)
    floor.broker.reject(orders[0])
    assert statuses(floor, orders) == [Status.INACTIVE, Status.CANCELLED, Status.CANCELLED]


def test_parent_that_is_cancelled_in_part_keeps_exits_for_what_it_filled(floor_in_pieces: Floor) -> None:
    """A position of two is protected by exits of two."""
    floor = floor_in_pieces
    orders = bracket(floor)
    floor.fire()
    floor.broker.cancel(orders[0])
    assert [floor.size(exit_id) for exit_id in orders[1:]] == [2, 2]
    assert statuses(floor, orders) == [Status.CANCELLED, Status.SUBMITTED, Status.PRE_SUBMITTED]
    floor.move_to(111)
    floor.settle()
    assert statuses(floor, orders)[1:] == [Status.FILLED, Status.CANCELLED]


def test_exits_of_one_parent_share_its_shares(floor: Floor) -> None:
    """Two targets of five and a stop of ten: after the first target the stop sells five, and never ten."""
    parent = floor.place(transmit=False)
    near = floor.place(SELL, 5, LIMIT, limit=110, parent=parent, transmit=False)
    far = floor.place(SELL, 5, LIMIT, limit=120, parent=parent, transmit=False)
    stop = floor.place(SELL, 10, STOP, stop=90, parent=parent)
    floor.settle()
    floor.move_to(110.01)
    floor.settle()
    assert (floor.status(near), floor.status(far)) == (Status.FILLED, Status.SUBMITTED)
    assert floor.size(stop) == 5
    floor.move_to(89)
    floor.settle()
    assert (floor.filled(stop), floor.status(far)) == (5, Status.CANCELLED)


def test_child_of_a_filled_parent_works_at_once(floor: Floor) -> None:
    """A client whose parent fills before it has sent the rest loses nothing."""
    parent = floor.place()
    floor.settle()
    assert floor.status(floor.place(SELL, 10, LIMIT, limit=110, parent=parent)) is Status.SUBMITTED


def test_child_that_opens_more_waits_until_its_parent_is_filled(floor_in_pieces: Floor) -> None:
    """A child on the same side is no exit: a part of its parent does not start it, and it may be larger."""
    floor = floor_in_pieces
    parent = floor.place(transmit=False)
    more = floor.place(quantity=20, order_type=LIMIT, limit=100.01, parent=parent)
    floor.fire()
    assert floor.status(more) is Status.PRE_SUBMITTED
    floor.settle()
    assert (floor.filled(parent), floor.filled(more)) == (10, 20)


def test_immediate_child_waits_until_its_parent_is_done(floor_in_pieces: Floor) -> None:
    """It is not cancelled for the part of its parent that is still to come."""
    floor = floor_in_pieces
    parent = floor.place(transmit=False)
    child = floor.place(SELL, 10, parent=parent, time_in_force=TimeInForce.FILL_OR_KILL)
    floor.fire()
    assert floor.status(child) is Status.PRE_SUBMITTED
    floor.settle()
    assert [shares.shares for order, shares in floor.fills if order.perm_id == child] == [10]
