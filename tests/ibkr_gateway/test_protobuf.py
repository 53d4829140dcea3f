"""Messages as protobuf: what is encoded is decoded again, every field has its place, and nothing is passed over."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.protocol import protobuf_table
from fixtures.ibkr_gateway.protocol.catalogue import REPLIES, REQUESTS
from fixtures.ibkr_gateway.protocol.codec import newest_version
from fixtures.ibkr_gateway.protocol.definitions import message_class
from fixtures.ibkr_gateway.protocol.layout import Layout, Message
from fixtures.ibkr_gateway.protocol.nodes import NEWEST_VERSION, Field, Literal, Node, Rows, When, nodes_at
from fixtures.ibkr_gateway.protocol.protobuf import form, request_id
from fixtures.ibkr_gateway.protocol.protobuf_fields import Path, slots
from fixtures.ibkr_gateway.protocol.protobuf_table import TEXT_ALONE, names_in
from fixtures.ibkr_gateway.protocol.wire import UNSET_INTEGER, Kind, Undecodable, Value

_TABLES = ((REQUESTS.values(), protobuf_table.REQUESTS), (REPLIES, protobuf_table.REPLIES))
ALL = [
    (layout, *table[layout.message_id])
    for layouts, table in _TABLES
    for layout in layouts
    if layout.message_id in table
]
_LONE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
_CONDITIONS = ["None", "IBKRATS", "PEG BENCH", "PEG BEST", "PEG MID"]


def _named(case: object) -> str:
    return case.name if isinstance(case, Layout) else str(case)


class Filler:
    """Fills a layout with values that protobuf can carry."""

    def __init__(self, layout: Layout, name: str, version: int, draw: random.Random, texts: list[str]) -> None:
        self._nodes = nodes_at(layout.nodes, version)
        descriptor = message_class(name).DESCRIPTOR
        self._paths = {field: slot.path for field, slot in slots(descriptor, self._nodes, names_in(name)).items()}
        self._names = names_in(name)
        self._draw = draw
        self._texts = [*texts, *_CONDITIONS]

    def filled(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return what is given, and what is read of it."""
        given: dict[str, Value] = {}
        read: dict[str, Value] = {}
        self._fill(self._nodes, given, read)
        return given, read

    def _fill(self, nodes: tuple[Node, ...], given: dict[str, Value], read: dict[str, Value]) -> None:
        for node in nodes:
            if isinstance(node, When):
                if node.holds(read):
                    self._fill(node.nodes, given, read)
            elif isinstance(node, Rows):
                given[node.name] = read[node.name] = self._rows(node) if node.name in self._paths else ()
            elif isinstance(node, Field):
                path = self._paths.get(node.name)
                # Two names of one field: the later one would be read under both.
                is_one_of_two = node.name in {"trailStopPrice", "trailStopPrice2"}
                value = None if path is None or is_one_of_two else self._value(node, path)
                given[node.name] = value
                read[node.name] = self._as_read(node, path, value)

    def _as_read(self, node: Field, path: Path | None, value: Value) -> Value:
        is_message = path is not None and path[-1].message_type is not None
        if path is not None and value is None and node in self._nodes:
            value = node.default
        if is_message and value is False:
            value = None
        return "" if value is None and node.kind is Kind.TEXT else value

    def _value(self, node: Field, path: Path) -> Value:
        leaf = path[-1]
        if leaf.message_type is not None and leaf.message_type.GetOptions().map_entry:
            return self._draw.choice(["", "a=1;", "a=1;b=2;"])
        if node.kind is Kind.TEXT:
            if leaf.cpp_type == FieldDescriptor.CPPTYPE_STRING:
                return self._draw.choice(["", *self._texts])
            return self._draw.choice(["", "100", "2.5"])
        if node.kind is Kind.FLAG:
            return self._draw.choice([True, False, None])
        if node.kind is Kind.INTEGER:
            is_flag = leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL
            return self._draw.choice([None, 0, 1] if is_flag else [None, 0, -1, self._draw.randrange(UNSET_INTEGER)])
        return self._draw.choice([None, Decimal(0), Decimal("1.5"), Decimal(self._draw.randrange(10**9)) / 100])

    def _rows(self, rows: Rows) -> tuple[dict[str, Value], ...]:
        if any(isinstance(node, When) for node in rows.nodes):
            # The conditions of an order, whose value has a place of its own for each of their types.
            return ()
        leaf = self._paths[rows.name][-1]
        if leaf.message_type is not None and leaf.message_type.GetOptions().map_entry:
            return tuple({"tag": tag, "value": self._draw.choice(self._texts)} for tag in sorted(set(self._texts)))
        if leaf.message_type is None:
            (only,) = (node for node in rows.nodes if isinstance(node, Field))
            values: dict[Kind, Value] = {Kind.TEXT: "x", Kind.INTEGER: 20261120, Kind.NUMBER: Decimal("2.5")}
            return ({only.name: values[only.kind]},) * self._draw.randrange(3)
        paths = {name: slot.path for name, slot in slots(leaf.message_type, rows.nodes, self._names).items()}
        return tuple(self._row(rows, paths) for _ in range(self._draw.randrange(3)))

    def _row(self, rows: Rows, paths: dict[str, Path]) -> dict[str, Value]:
        row: dict[str, Value] = {}
        for node in rows.nodes:
            if isinstance(node, Rows):
                row[node.name] = ()
            elif isinstance(node, Field) and node.name in paths:
                # In a row, what is unset has no default to take.
                row[node.name] = self._value(node, paths[node.name]) or ("x" if node.kind is Kind.TEXT else 1)
        return row


def _fields(nodes: tuple[Node, ...]) -> Iterator[Field | Rows]:
    for node in nodes:
        if isinstance(node, When):
            yield from _fields(node.nodes)
        elif not isinstance(node, Literal):
            yield node


@pytest.mark.parametrize(("layout", "name", "since"), ALL, ids=_named)
@given(seed=st.integers(0, 2**32), texts=st.lists(_LONE_TEXT, max_size=3))
@settings(max_examples=10, deadline=None)
def test_layout_decodes_what_it_encodes_in_protobuf(
    layout: Layout, name: str, since: int, seed: int, texts: list[str]
) -> None:
    """decode(encode(x)) = x, from the version that makes it protobuf to the newest."""
    for version in range(since, NEWEST_VERSION + 1):
        given_values, read = Filler(layout, name, version, random.Random(seed), texts).filled()  # noqa: S311
        protobuf = form(layout, name, version)
        decoded = protobuf.decode(protobuf.encode(given_values))
        assert {key: decoded.values[key] for key in read} == read


@pytest.mark.parametrize(("layout", "name", "since"), ALL, ids=_named)
def test_every_field_has_its_place_in_protobuf(layout: Layout, name: str, since: int) -> None:
    """No field of a layout is lost on the way but those that the definitions do not have."""
    nodes = nodes_at(layout.nodes, NEWEST_VERSION)
    found = slots(message_class(name).DESCRIPTOR, nodes, names_in(name))
    assert {field.name for field in _fields(nodes)} - found.keys() - TEXT_ALONE == set()


def test_every_message_is_protobuf_from_213_on() -> None:
    """At the newest version no layout is left to text but what the newest definitions have given up."""
    left = {layout.name for layouts, table in _TABLES for layout in layouts if layout.message_id not in table}
    assert left == {"reqFundamentalData", "cancelFundamentalData"}


def test_definitions_are_installed() -> None:
    """Without them no client would get protobuf, and no test above would have a meaning."""
    assert newest_version() == NEWEST_VERSION


@pytest.mark.parametrize(
    ("path", "value"),
    [("order.postOnly", True), ("order.hedgeMaxSize", 5), ("attachedOrders.slOrderId", 7)],
)
def test_newest_order_fields_are_read(path: str, value: object) -> None:
    """What came with the newest versions reaches the one who must refuse it."""
    message = message_class("PlaceOrderRequest")(orderId=1)
    *way, last = path.split(".")
    inside = message
    for step in way:
        inside = getattr(inside, step)
    setattr(inside, last, value)
    read = form(REQUESTS[3], "PlaceOrderRequest", NEWEST_VERSION).decode(message.SerializeToString())
    assert read.values[last] == value


def test_set_field_that_is_not_read_is_refused_under_its_order() -> None:
    """An order is never taken without something that was asked for, and what is neutral is no hindrance."""
    message = message_class("PlaceOrderRequest")(orderId=41)
    message.order.deltaNeutralConId = 0
    message.contract.description = "APPLE INC"
    protobuf = form(REQUESTS[3], "PlaceOrderRequest", NEWEST_VERSION)
    assert protobuf.decode(message.SerializeToString()).integer("orderId") == 41
    message.order.minTradeQty = 100
    with pytest.raises(Undecodable, match="minTradeQty") as refused:
        protobuf.decode(message.SerializeToString())
    assert refused.value.request_id == 41


@given(payload=st.binary(max_size=80), place=st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_a_message_or_undecodable(payload: bytes, place: int) -> None:
    """No bytes are too strange for an answer."""
    layouts = [(layout, name) for layout, name, _ in ALL if layout in REQUESTS.values()]
    layout, name = layouts[place % len(layouts)]
    with suppress(Undecodable):
        assert isinstance(form(layout, name, NEWEST_VERSION).decode(payload), Message)
    assert -1 <= request_id(payload) < 1 << 31


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b"", -1),
        (b"\x08\x05", 5),
        (b"\x08\xac\x02\x12", 300),
        (b"\x12\x05", -1),
        (b"\x08\xff", -1),
        (b"\x08" + b"\xff" * 20, -1),
    ],
)
def test_request_id_is_found_in_what_cannot_be_read(payload: bytes, number: int) -> None:
    """Field 1 is the id, where there is one."""
    assert request_id(payload) == number
