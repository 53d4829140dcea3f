"""What the gateway says to orders that are wrong, each with the code of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.ibkr_gateway.server import order_rules
from fixtures.ibkr_gateway.server.order_fields import GOOD_TILL, UNSUPPORTED, Refusal
from fixtures.ibkr_gateway.server.order_rules import RULES
from tests.ibkr_gateway.orders.desk import Desk, aapl
from tests.ibkr_gateway.stub import ib_insync

LIMIT: dict[str, Any] = {"order_type": "LMT", "lmtPrice": 400}
TRAIL: dict[str, Any] = {"order_type": "TRAIL", "action": "SELL"}
# Terms of an order, and what its contract is changed by, for each rule.
BROKEN: list[tuple[Refusal, dict[str, Any], dict[str, Any]]] = [
    (order_rules.INVALID_ORDER_ID, {"orderId": -7}, {}),
    (order_rules.NO_EXCHANGE, {}, {"exchange": ""}),
    (order_rules.NO_SECURITY_TYPE, {}, {"secType": ""}),
    (order_rules.NO_CURRENCY, {}, {"currency": ""}),
    (UNSUPPORTED, {"order_type": "REL"}, {}),
    (UNSUPPORTED, {"order_type": "TRAIL LIMIT"}, {}),
    (order_rules.WRONG_ACTION, {"action": "SSHORT"}, {}),
    (order_rules.NO_SIZE, {"shares": 0}, {}),
    (order_rules.NEGATIVE_SIZE, {"shares": -5}, {}),
    (order_rules.FRACTION, {"shares": 0.5}, {}),
    (order_rules.SIZE_TOO_LARGE, {"shares": 2_000_000_000}, {}),
    (order_rules.WRONG_TIME_IN_FORCE, {"tif": "DTC"}, {}),
    (order_rules.MALFORMED_GOOD_TILL, {"tif": "GTD", "goodTillDate": "tomorrow"}, {}),
    (GOOD_TILL, {"goodTillDate": "20300102 12:00:00"}, {}),
    (order_rules.NO_LIMIT, {"order_type": "LMT"}, {}),
    (order_rules.NO_LIMIT, {"order_type": "STP LMT", "auxPrice": 400}, {}),
    (order_rules.NO_STOP, {"order_type": "STP"}, {}),
    (order_rules.NO_STOP, {"order_type": "STP LMT", "lmtPrice": 400}, {}),
    (order_rules.NO_TRAIL, TRAIL, {}),
    (order_rules.NO_TRAIL, {**TRAIL, "auxPrice": -1}, {}),
    (order_rules.TWO_TRAILS, {**TRAIL, "auxPrice": 1, "trailingPercent": 1}, {}),
    (order_rules.WRONG_PERCENTAGE, {**TRAIL, "trailingPercent": 100}, {}),
    (order_rules.OFF_TICK, {**LIMIT, "lmtPrice": 400.005}, {}),
    (order_rules.OFF_TICK, {"order_type": "STP", "auxPrice": 400.001}, {}),
    (order_rules.OFF_TICK, {**TRAIL, "auxPrice": 1.005}, {}),
    (order_rules.OFF_TICK, {**TRAIL, "auxPrice": 1, "trailStopPrice": 400.005}, {}),
    (order_rules.WRONG_OCA_TYPE, {"ocaGroup": "g", "ocaType": 4}, {}),
    (order_rules.WHAT_IF_UNTRANSMITTED, {"whatIf": True, "transmit": False}, {}),
]


def told(refusal: Refusal, **names: object) -> tuple[int, str]:
    """Return what a client is told."""
    return refusal.code, refusal.text.format_map(names)


def test_every_rule_is_broken_once_below() -> None:
    """No rule without a test that shows it."""
    assert {rule.refusal for rule in RULES} - {refusal for refusal, _, _ in BROKEN} == set()
    assert [rule.refusal for rule in RULES if not rule.refusal.source] == []


@pytest.mark.parametrize(
    ("refusal", "terms", "contract"), BROKEN, ids=[f"{case[0].code}-{case[1] or case[2]}" for case in BROKEN]
)
def test_wrong_order_is_refused_and_never_reaches_the_broker(
    desk: Desk, refusal: Refusal, terms: dict[str, Any], contract: dict[str, Any]
) -> None:
    """The client is told why under the order's id, and there is no order."""
    order = desk.order(**{"order_type": "MKT", **terms})
    order_id = desk.place(order, aapl(**contract))
    assert desk.answered() == [(order_id, *told(refusal, orderId=order_id, symbol="AAPL"))]
    assert desk.stub.orders() == []


def test_contract_id_and_exchange_are_enough(desk: Desk) -> None:
    """A position's contract, given an exchange, can be sold."""
    contract = ib_insync().Contract(conId=265598, exchange="SMART")
    desk.place(desk.order(orderRef="by id"), contract)
    desk.expect_statuses({"by id": "Filled"})


@pytest.mark.parametrize("price", [0.0001, 0.5, 0.99, 1, 430.47])
def test_price_on_the_tick_is_taken(desk: Desk, price: float) -> None:
    """Below a dollar the tick is a hundredth of a cent."""
    desk.place(desk.order("LMT", lmtPrice=price, orderRef="rests"))
    desk.expect_statuses({"rests": "Submitted"})


def test_change_off_the_tick_is_refused_and_the_order_lives(desk: Desk) -> None:
    """110 about the change alone: the order is open with its old price, and can be changed again."""
    order = desk.order("LMT", lmtPrice=400, orderRef="lives")
    desk.place(order)
    desk.expect_statuses({"lives": "Submitted"})
    order.lmtPrice = 400.005
    desk.place(order)
    assert desk.codes() == [110]
    assert [each.order.lmtPrice for each in desk.client.reqOpenOrders()] == [400]
    order.lmtPrice = 401
    desk.place(order)
    desk.let(lambda: [entry["limit_price"] for entry in desk.stub.entries("order_modified")] == ["401"], "changed")


def test_id_below_one_that_was_used_is_a_duplicate(desk: Desk, connect: Any) -> None:
    """Ids are counted for each client; what another one used does not matter."""
    other = Desk(desk.stub, connect(2))
    desk.place(desk.order(orderId=50, orderRef="fifty"))
    desk.place(desk.order(orderId=49, orderRef="below"))
    assert desk.answered() == [(49, *told(order_rules.DUPLICATE_ORDER_ID))]
    other.place(other.order(orderId=49, orderRef="other"))
    other.expect_statuses({"fifty": "Filled", "other": "Filled"})
    assert other.answered() == []


def test_id_of_a_cancelled_order_is_not_given_again(desk: Desk) -> None:
    """The order that had it is over, and no order gets it."""
    order_id = desk.place(desk.order("LMT", lmtPrice=10, orderRef="gone"))
    desk.expect_statuses({"gone": "Submitted"})
    desk.client.client.cancelOrder(order_id)
    desk.expect_statuses({"gone": "Cancelled"})
    desk.place(desk.order("LMT", lmtPrice=10, orderId=order_id, orderRef="again"))
    assert desk.codes() == [202, 103]
    assert desk.statuses() == {"gone": "Cancelled"}


def test_filled_order_cannot_be_changed_and_its_id_not_reused(desk: Desk) -> None:
    """104 to a change that comes too late, 103 to another order."""
    order = desk.order("LMT", lmtPrice=500, orderRef="done")
    desk.place(order)
    desk.expect_statuses({"done": "Filled"})
    desk.place(order)
    desk.place(desk.order("MKT", "SELL", 3, orderId=order.orderId))
    assert desk.codes() == [104, 103]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"action": "SELL"}, order_rules.DOES_NOT_MATCH),
        ({"ocaGroup": "other"}, order_rules.OCA_GROUP_REVISED),
        ({"ocaGroup": ""}, order_rules.OCA_GROUP_REVISED),
        ({"ocaType": 1}, order_rules.OCA_TYPE_REVISED),
        ({"transmit": False}, order_rules.CANNOT_TRANSMIT),
        ({"parentId": 999}, order_rules.DOES_NOT_MATCH),
        ({"hidden": True}, Refusal(152, 'The "hidden" order attribute may not be specified for this order.')),
    ],
    ids=lambda case: str(case) if isinstance(case, dict) else str(case.code),
)
def test_change_that_would_make_another_order_is_refused(desk: Desk, change: dict[str, Any], refusal: Refusal) -> None:
    """The order lives on as it was."""
    order = desk.order("LMT", lmtPrice=400, orderRef="lives", ocaGroup="g", ocaType=2)
    order_id = desk.place(order)
    desk.expect_statuses({"lives": "Submitted"})
    order.update(**change)
    desk.place(order)
    assert desk.answered() == [(order_id, *told(refusal, orderId=order_id))]
    assert (desk.statuses(), desk.stub.entries("order_modified")) == ({"lives": "Submitted"}, [])


def test_order_beyond_the_buying_power_is_rejected(desk: Desk) -> None:
    """201 with the figures; the order is there as Inactive, and its id is used."""
    order_id = desk.place(desk.order(shares=10_000, orderRef="dear"))
    ((_, code, text),) = desk.answered()
    assert code == 201
    assert (
        "Equity with Loan Value [1000000.00 USD] must exceed the new total Initial Margin of [1076175.00 USD]" in text
    )
    assert desk.statuses() == {"dear": "Inactive"}
    desk.place(desk.order(orderId=order_id, orderRef="again"))
    assert desk.codes() == [201, 103]


def test_order_that_makes_a_position_smaller_needs_no_money(desk: Desk) -> None:
    """What was bought on margin can always be sold."""
    desk.place(desk.order(shares=9_000, orderRef="buy"))
    desk.expect_statuses({"buy": "Filled"})
    desk.place(desk.order("MKT", "SELL", 9_000, orderRef="sell"))
    desk.expect_statuses({"buy": "Filled", "sell": "Filled"})
    assert desk.answered() == []


def test_executions_are_told_to_a_filter_without_a_client(desk: Desk) -> None:
    """The empty client id means any."""
    desk.place(desk.order(orderRef="r"))
    desk.expect_statuses({"r": "Filled"})
    asked = ib_insync().ExecutionFilter()
    asked.clientId = ""
    assert [fill.execution.orderRef for fill in desk.client.reqExecutions(asked)] == ["r"]
    assert desk.answered() == []
