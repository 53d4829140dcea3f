"""Every field of placeOrder: it is served, read over, or refused once it is set."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fixtures.ibkr_gateway.protocol.nodes import Field, Literal, Node, Rows
from fixtures.ibkr_gateway.protocol.order_requests import PLACE_ORDER
from fixtures.ibkr_gateway.server.order_fields import CODES, READ_OVER, REFUSED, SERVED, UNSUPPORTED, refusals
from tests.ibkr_gateway.orders.desk import Desk, aapl
from tests.ibkr_gateway.stub import ib_insync

# Fields that the library calls otherwise, and those that it sends with others only.
_CALLED = {"softDollarTierName": "softDollarTier", "softDollarTierValue": "softDollarTier"}
_WITH_OTHERS: dict[str, dict[str, Any]] = {
    "hedgeType": {"hedgeParam": "1"},
    "deltaNeutralOrderType": {"deltaNeutralAuxPrice": 1.0},
    "scalePriceIncrement": {"scaleInitLevelSize": 5},
}
# The library sends these only with an order type, an exchange or a contract that is refused for itself, or with a
# field of this table that is.
_SENT_WITH_WHAT_IS_REFUSED = {
    "referenceContractId",
    "isPeggedChangeAmountDecrease",
    "peggedChangeAmount",
    "referenceChangeAmount",
    "referenceExchangeId",
    "minTradeQty",
    "minCompeteSize",
    "competeAgainstBestOffset",
    "midOffsetAtWhole",
    "midOffsetAtHalf",
    "smartComboRoutingParams",
    "orderComboLegs",
    "deltaNeutralConId",
    "deltaNeutralSettlingFirm",
    "deltaNeutralClearingAccount",
    "deltaNeutralClearingIntent",
    "deltaNeutralOpenClose",
    "deltaNeutralShortSale",
    "deltaNeutralShortSaleSlot",
    "deltaNeutralDesignatedLocation",
    "scalePriceAdjustValue",
    "scalePriceAdjustInterval",
    "scaleProfitOffset",
    "scaleAutoReset",
    "scaleInitPosition",
    "scaleInitFillQty",
    "scaleRandomPercent",
    # It writes a list of options as one field, so that they never arrive as they are.
    "orderMiscOptions",
    "conditions",
    # It knows these, and sends them at no version that it speaks.
    "imbalanceOnly",
    "routeMarketableToBbo",
}


def field_names(nodes: tuple[Node, ...]) -> Iterator[str]:
    """Return the names of all fields and groups, however deep they are in conditions."""
    for node in nodes:
        if isinstance(node, Field | Rows):
            yield node.name
        elif not isinstance(node, Literal):
            yield from field_names(node.nodes)


def a_value(name: str) -> Any:
    """Return something that the library may set a field of an order to."""
    kind = {each.name: each.type for each in dataclasses.fields(ib_insync().Order)}[name]
    if name == "softDollarTier":
        return ib_insync().SoftDollarTier("t", "v", "d")
    return {"bool": True, bool: True, "int": 1, int: 1, "float": 1.5, float: 1.5}.get(kind, "20261130 10:00:00")


def test_every_field_stands_in_one_table() -> None:
    """A field of placeOrder that is added to the layout has to be decided upon."""
    tables = Counter([*SERVED, *READ_OVER, *REFUSED])
    assert [name for name in field_names(PLACE_ORDER.nodes) if tables[name] != 1] == []
    assert [name for name, count in tables.items() if count != 1] == []


def test_every_refusal_has_a_source() -> None:
    """No code without saying where it is known from."""
    assert [name for name, refused in REFUSED.items() if not (refused.refusal.source and refused.refusal.text)] == []
    assert UNSUPPORTED.source == CODES


def test_unknown_field_is_refused_once_it_is_set() -> None:
    """One that a later protocol brings cannot slip through."""
    assert list(refusals({"postOnly": True, "hidden": False})) == [("postOnly", UNSUPPORTED)]


@pytest.mark.parametrize("value", [None, "", 0, False, Decimal(0), "None", ()], ids=repr)
def test_field_that_is_not_set_is_no_reason(value: Any) -> None:
    """Clients write "nothing" in many ways."""
    assert list(refusals(dict.fromkeys(REFUSED, value))) == []


def test_order_with_a_field_that_is_not_served_is_refused_and_not_executed(desk: Desk) -> None:
    """Each of them that the library can set alone, with the code and the text of its table; nothing comes of it."""
    tested, expected = [], []
    for name, refused in REFUSED.items():
        called = _CALLED.get(name, name)
        if name in _SENT_WITH_WHAT_IS_REFUSED or called not in {
            each.name for each in dataclasses.fields(ib_insync().Order)
        }:
            continue
        more: dict[str, Any] = _WITH_OTHERS.get(name, {})
        order = desk.order("LMT", lmtPrice=400, **{called: a_value(called)}, **more)
        expected.append((desk.place(order), refused.refusal.code, refused.refusal.text))
        tested.append(name)
    assert len(tested) > 50
    answers = desk.answered()
    assert [answer[0] for answer in answers] == [order_id for order_id, _, _ in expected]
    # Of an order that sets two of them, the first is told.
    named = {(refused.refusal.code, refused.refusal.text) for refused in REFUSED.values()}
    assert [answer for answer in answers if answer[1:] not in named] == []
    apart = [
        (name, came, wanted)
        for name, came, wanted in zip(tested, answers, expected, strict=True)
        if came != wanted and name not in _WITH_OTHERS and name not in _CALLED
    ]
    assert apart == []
    assert (desk.stub.orders(), desk.stub.entries("order_received")) == ([], [])


def test_field_that_is_read_over_changes_nothing(desk: Desk) -> None:
    """An order that has all of them, as far as the library can set them, is executed."""
    known = {each.name for each in dataclasses.fields(ib_insync().Order)}
    alone = [name for name in READ_OVER if name in known and not READ_OVER[name].startswith("matters with")]
    terms: dict[str, Any] = {name: a_value(name) for name in alone}
    desk.place(desk.order(orderRef="plain", **terms))
    desk.expect_statuses({"plain": "Filled"})
    assert len(alone) > 8


@pytest.mark.parametrize(
    "condition",
    [
        ("PriceCondition", {"price": 400.0, "conId": 265598, "exch": "SMART"}),
        ("TimeCondition", {"time": "20261120 10:00:00"}),
        ("MarginCondition", {"percent": 30}),
        ("ExecutionCondition", {"secType": "STK", "exch": "SMART", "symbol": "AAPL"}),
        ("VolumeCondition", {"volume": 100, "conId": 265598, "exch": "SMART"}),
        ("PercentChangeCondition", {"changePercent": 1.5, "conId": 265598, "exch": "SMART"}),
    ],
    ids=lambda condition: condition[0],
)
def test_condition_is_read_and_refused(desk: Desk, condition: tuple[str, dict[str, Any]]) -> None:
    """The order is understood to the end, and refused by the code for conditions."""
    name, terms = condition
    made = getattr(ib_insync(), name)(**terms)
    desk.place(desk.order(conditions=[made, made], conditionsIgnoreRth=True))
    assert [answer[1:] for answer in desk.answered()] == [(402, "Conditions are not allowed for this contract.")]
    assert desk.stub.orders() == []


def test_combination_is_read_and_refused(desk: Desk) -> None:
    """Its legs, their prices and its routing are understood, and no leg is bought."""
    legs = [
        ib_insync().ComboLeg(conId=265598, ratio=1, action="BUY", exchange="SMART"),
        ib_insync().ComboLeg(conId=272093, ratio=2, action="SELL", exchange="SMART"),
    ]
    contract = ib_insync().Contract(secType="BAG", symbol="AAPL", exchange="SMART", currency="USD", comboLegs=legs)
    order = desk.order(
        "LMT",
        lmtPrice=1,
        orderComboLegs=[ib_insync().OrderComboLeg(price=2.0)],
        smartComboRoutingParams=[ib_insync().TagValue("NonGuaranteed", "1")],
    )
    desk.place(order, contract)
    assert [answer[1:] for answer in desk.answered()] == [(UNSUPPORTED.code, UNSUPPORTED.text)]
    assert (desk.stub.orders(), desk.stub.entries("undecodable")) == ([], [])


def test_adaptive_algorithm_is_refused(desk: Desk) -> None:
    """Its parameters are read, and it is not executed as if it were a plain order."""
    params = [ib_insync().TagValue("adaptivePriority", "Normal")]
    desk.place(desk.order(algoStrategy="Adaptive", algoParams=params), aapl())
    assert [answer[1] for answer in desk.answered()] == [387]
    assert desk.stub.orders() == []
