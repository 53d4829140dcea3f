"""In any interleaving, no group fills more than it may, no child before its parent, and no leg alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fixtures.ibkr_gateway.broker.groups import is_exit, parent_of
from fixtures.ibkr_gateway.broker.order import Action, OcaType, Order, OrderType, Status, TimeInForce
from tests.ibkr_gateway.orders.exchange_floor import Floor

_ACTIONS = st.sampled_from(Action)
_SIZES = st.integers(1, 12)
_PRICES = st.integers(96, 104)
_TIMES = st.sampled_from([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL])
_KINDS = st.sampled_from(
    [
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.TRAILING_STOP,
    ]
)
_MOST_ORDERS = 12
# Not shrunk: on a machine that is shared, that takes minutes, and a history of forty steps is read without it.
_HISTORIES = settings(
    max_examples=80,
    stateful_step_count=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def priced(kind: OrderType, price: int) -> dict[str, Any]:
    """Return the prices that an order of that type needs."""
    prices: dict[str, Any] = {"limit": price} if kind.has_limit else {}
    if kind is OrderType.TRAILING_STOP:
        return {"trail_amount": abs(price - 100) + 1}
    return prices | ({"stop": price} if kind.has_trigger else {})


class Groups(RuleBasedStateMachine):
    """Places brackets and groups; moves prices, lets fills come, cancels, changes and refuses in any order."""

    @initialize(pieces=st.integers(1, 4))
    def open(self, pieces: int) -> None:
        """Begin with an empty book."""
        self.floor = Floor(pieces)
        self.sizes: dict[int, Decimal] = {}

    def teardown(self) -> None:
        """Give the loop back."""
        if hasattr(self, "floor"):
            self.floor.close()

    def _room(self) -> bool:
        return len(self.sizes) < _MOST_ORDERS

    def _place(self, *terms: Any, **more: Any) -> int:
        perm_id = self.floor.place(*terms, **more)
        self.sizes[perm_id] = Decimal(terms[1])
        return perm_id

    @precondition(_room)
    @rule(
        action=_ACTIONS,
        size=_SIZES,
        kinds=st.tuples(_KINDS, _KINDS, _KINDS),
        prices=st.tuples(_PRICES, _PRICES, _PRICES),
        exits=st.lists(_SIZES, min_size=1, max_size=2),
        time_in_force=_TIMES,
        released=st.booleans(),
        group=st.sampled_from(["", "", "entry"]),
    )
    def bracket(
        self,
        action: Action,
        size: int,
        kinds: tuple[OrderType, ...],
        prices: tuple[int, ...],
        exits: list[int],
        time_in_force: TimeInForce,
        group: str,
        *,
        released: bool,
    ) -> None:
        """Place a parent and exits of any size; the last one may leave all of them held."""
        group = "" if self._has_filled(group) else group
        parent = self._place(
            *(action, size, kinds[0]),
            **priced(kinds[0], prices[0]),
            transmit=False,
            time_in_force=time_in_force,
            oca_group=group,
        )
        other = Action.SELL if action is Action.BUY else Action.BUY
        for number, exit_size in enumerate(exits):
            kind = kinds[number + 1]
            is_last = number == len(exits) - 1
            self._place(
                *(other, exit_size, kind),
                **priced(kind, prices[number + 1]),
                parent=parent,
                transmit=is_last and released,
            )

    @precondition(_room)
    @rule(
        action=_ACTIONS,
        sizes=st.lists(_SIZES, min_size=2, max_size=3),
        kind=_KINDS,
        price=_PRICES,
        name=st.sampled_from(["one", "two", "three"]),
    )
    def group(self, action: Action, sizes: list[int], kind: OrderType, price: int, name: str) -> None:
        """Place a group; the type goes with its name, and a group that has filled takes no more."""
        oca_type = {"one": OcaType(1), "two": OcaType(2), "three": OcaType(3)}[name]
        for size in sizes:
            if self._has_filled(name):
                return
            self._place(action, size, kind, **priced(kind, price), oca_group=name, oca_type=oca_type)

    @rule(price=_PRICES)
    def move(self, price: int) -> None:
        """Trade at another price."""
        self.floor.move_to(price)

    @precondition(lambda self: self.floor.timers())
    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """Let one of the fills that are on their way come."""
        self.floor.fire(data.draw(st.integers(0, self.floor.timers() - 1)))

    @precondition(lambda self: self._open())
    @rule(data=st.data(), refused=st.booleans())
    def end(self, data: st.DataObject, *, refused: bool) -> None:
        """Cancel or refuse an open order."""
        order = data.draw(st.sampled_from(self._open()))
        (self.floor.broker.reject if refused else self.floor.broker.cancel)(order.perm_id)

    @precondition(lambda self: self._open())
    @rule(data=st.data(), price=_PRICES)
    def change(self, data: st.DataObject, price: int) -> None:
        """Put another price on an open order; one that is held is released with its family."""
        order = data.draw(st.sampled_from(self._open()))
        kind = order.ticket.order_type
        changed = self.floor.broker.book.change_ticket(
            order.perm_id,
            replace(
                order.ticket,
                limit_price=Decimal(price) if kind.has_limit else None,
                stop_price=Decimal(price) if kind.has_trigger and kind is not OrderType.TRAILING_STOP else None,
                transmit=True,
            ),
        )
        if changed.status is not Status.API_PENDING:
            self.floor.work(order.perm_id)
            self.floor.broker.settle_children(order.perm_id)

    def _has_filled(self, group: str) -> bool:
        """Say whether the gateway would reject another order of a group."""
        return any(member.filled for member in self.floor.broker.book.oca_group(1, group))

    def _open(self) -> list[Order]:
        return list(self.floor.broker.book.open_orders())

    @invariant()
    def group_never_fills_more_than_its_size(self) -> None:
        """The parts that the orders of a group have filled are together no more than one."""
        for name in ("one", "two", "three", "entry"):
            members = self.floor.broker.book.oca_group(1, name)
            assert sum((each.filled / self.sizes[each.perm_id] for each in members), Decimal(0)) <= 1

    @invariant()
    def child_never_fills_before_its_parent(self) -> None:
        """At every fill, exits together had no more than their parent, whose own fills came before."""
        filled: dict[int, Decimal] = {}
        for order, execution in self.floor.fills:
            filled[order.perm_id] = filled.get(order.perm_id, Decimal(0)) + execution.shares
            parent = parent_of(self.floor.broker.book, order)
            if parent is not None:
                exits = self.floor.broker.book.children(parent.perm_id)
                together = sum((filled.get(child.perm_id, Decimal(0)) for child in exits), Decimal(0))
                assert together <= filled.get(parent.perm_id, Decimal(0))

    @invariant()
    def no_leg_rests_alone(self) -> None:
        """A child is open only beside its open parent, or while a position of its parent's is left to close."""
        book = self.floor.broker.book
        for order in self._open():
            parent = parent_of(book, order)
            if parent is None or not parent.status.is_done:
                continue
            assert is_exit(parent, order.ticket)
            closed = sum((child.filled for child in book.children(parent.perm_id)), Decimal(0))
            assert order.remaining <= parent.filled - closed

    @invariant()
    def held_order_is_held_with_its_family(self) -> None:
        """What is not transmitted has no fill and no parent that has gone."""
        for order in self._open():
            if order.status is Status.API_PENDING:
                parent = parent_of(self.floor.broker.book, order)
                assert not order.filled
                assert parent is None or not parent.status.is_done

    @invariant()
    def immediate_order_never_rests(self) -> None:
        """Once it is at the exchange it has a fill on its way, or has ended."""
        for order in self._open():
            if order.ticket.time_in_force.is_immediate and order.status is Status.SUBMITTED:
                assert order.perm_id not in self.floor.broker._resting

    @invariant()
    def position_is_what_was_filled(self) -> None:
        """The account agrees with the executions."""
        held = sum((execution.shares * order.ticket.action.sign for order, execution in self.floor.fills), Decimal(0))
        assert sum((each.quantity for each in self.floor.broker.account.positions.values()), Decimal(0)) == held


def test_groups_hold_in_any_interleaving() -> None:
    """The invariants above hold after every step of every history that Hypothesis thinks of."""
    run_state_machine_as_test(Groups, settings=_HISTORIES)
