"""The field layouts: what is encoded is decoded again, at every version."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.protocol.catalogue import REPLIES, REQUESTS
from fixtures.ibkr_gateway.protocol.layout import Layout, Message, decode, encode
from fixtures.ibkr_gateway.protocol.nodes import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    Field,
    Literal,
    Node,
    Rows,
    When,
    nodes_at,
)
from fixtures.ibkr_gateway.protocol.order_layouts import COMPLETED_ORDER, OPEN_ORDER
from fixtures.ibkr_gateway.protocol.wire import UNSET_INTEGER, Kind, Undecodable, Value, Values
from fixtures.ibkr_gateway.server.handlers import HANDLERS

ALL = (*REQUESTS.values(), *REPLIES)
VERSIONS = range(OLDEST_VERSION, NEWEST_VERSION + 1)


def _is_set(number: int) -> bool:
    return number != UNSET_INTEGER


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
# Values on which later fields depend are always among those to choose from, or those fields were hardly ever there.
_TELLING: dict[Kind, list[Value]] = {
    Kind.TEXT: ["", "None", "Infinite", "IBKRATS", "PEG BENCH", "PEG BEST", "PEG MID", "BAG"],
    Kind.INTEGER: [None, 0, -1, 1, 3, 4, 5],
    Kind.NUMBER: [None, Decimal(0), Decimal(1)],
    Kind.FLAG: [None, False, True],
}
# What decode reads: at most forty digits before the point and forty after it.
_NUMBER = st.builds(
    lambda sign, whole, fraction: Decimal(f"{sign}{whole}.{fraction}"),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**40 - 1),
    st.text("0123456789", max_size=40),
)
_POOLS: st.SearchStrategy[dict[Kind, list[Value]]] = st.fixed_dictionaries(
    {
        Kind.TEXT: st.lists(_TEXT, max_size=4),
        Kind.INTEGER: st.lists(st.integers(-(10**18) + 1, 10**18 - 1).filter(_is_set), max_size=4),
        Kind.NUMBER: st.lists(_NUMBER, max_size=4),
        Kind.FLAG: st.just([]),
    }
)


class Filler:
    """Fills a layout with values from small pools.

    A draw for each of the hundred fields of an order, at each version, is more than Hypothesis can shrink.
    """

    def __init__(self, pools: dict[Kind, list[Value]], seed: int, version: int) -> None:
        self._pools = pools
        self._choice = random.Random(seed)  # noqa: S311 - values for a test, not secrets
        self._version = version

    def filled(self, nodes: tuple[Node, ...], values: dict[str, Value]) -> dict[str, Value]:
        """Give a value to every field that is there at this version, the earlier fields being what they are."""
        for node in nodes:
            if isinstance(node, When):
                if node.holds(values):
                    self.filled(node.nodes, values)
            elif isinstance(node, Literal) or not node.since <= self._version <= node.until:
                continue
            elif isinstance(node, Field):
                values[node.name] = self._choice.choice([*_TELLING[node.kind], *self._pools[node.kind]])
            else:
                values[node.name] = tuple(self.filled(node.nodes, {}) for _ in range(self._choice.randrange(4)))
        return values


def _as_read(nodes: tuple[Node, ...], values: Values) -> dict[str, Value]:
    """Return what a reader makes of values: what is unset takes its default."""
    read = dict(values)
    for node in nodes:
        if isinstance(node, Field) and read.get(node.name, "") is None:
            read[node.name] = node.default
        elif isinstance(node, When):
            read = _as_read(node.nodes, read)
        elif isinstance(node, Rows) and isinstance(rows := read.get(node.name), tuple):
            read[node.name] = tuple(_as_read(node.nodes, row) for row in rows)
    return read


def _branches(nodes: tuple[Node, ...], values: dict[str, Value]) -> Iterator[tuple[When, bool]]:
    """Tell of each group whether its fields are among the values; of groups inside it only if they are."""
    for node in nodes:
        if isinstance(node, When):
            held = node.holds(values)
            yield node, held
            if held:
                yield from _branches(node.nodes, values)


def _groups(nodes: tuple[Node, ...]) -> Iterator[When]:
    for node in nodes:
        if isinstance(node, When):
            yield node
            yield from _groups(node.nodes)


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
@given(pools=_POOLS, seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_layout_decodes_what_it_encodes_at_every_version(
    layout: Layout, pools: dict[Kind, list[Value]], seed: int
) -> None:
    """decode(encode(x)) = x, from the oldest version to the newest."""
    for version in VERSIONS:
        values = Filler(pools, seed, version).filled(layout.nodes, {})
        decoded = decode(layout, encode(Message(layout, values), version), version)
        assert decoded == Message(layout, _as_read(nodes_at(layout.nodes, version), values))


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_layout_sends_defaults_for_what_is_not_given(layout: Layout) -> None:
    """At every version each of its fields arrives, and no other."""
    for version in VERSIONS:
        decoded = decode(layout, encode(Message(layout, {}), version), version).values
        for node in layout.nodes:
            if isinstance(node, Field):
                is_there = node.since <= version <= node.until
                assert decoded.get(node.name, "absent") == (node.default if is_there else "absent")


def test_filler_reaches_every_group_of_fields_and_passes_it_by() -> None:
    """Without this, a group that depends on an earlier field might not be tested at all."""
    missing = {(group, held) for layout in ALL for group in _groups(layout.nodes) for held in (True, False)}
    for layout in ALL:
        for seed in range(200):
            filler = Filler({kind: [] for kind in Kind}, seed, NEWEST_VERSION)
            missing.difference_update(_branches(layout.nodes, filler.filled(layout.nodes, {})))
    assert [(group.nodes, held) for group, held in missing] == []


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_layout_refuses_a_field_more_and_a_field_less(layout: Layout) -> None:
    """A frame of the wrong length is never read as if it were right."""
    fields = encode(Message(layout, {}), NEWEST_VERSION)
    with pytest.raises(Undecodable, match="too many"):
        decode(layout, [*fields, "0"], NEWEST_VERSION)
    if len(fields) > 1:
        with pytest.raises(Undecodable, match="ended before"):
            decode(layout, fields[:-1], NEWEST_VERSION)


@pytest.mark.parametrize(
    ("layout", "version", "count"),
    [
        (OPEN_ORDER, 100, 105),
        (OPEN_ORDER, 157, 128),
        (OPEN_ORDER, 176, 136),
        (OPEN_ORDER, 178, 135),
        (OPEN_ORDER, 200, 156),
        (COMPLETED_ORDER, 157, 96),
        (COMPLETED_ORDER, 176, 101),
        (COMPLETED_ORDER, 178, 100),
    ],
)
def test_long_layouts_have_the_measured_number_of_fields(layout: Layout, version: int, count: int) -> None:
    """The two long messages are as long as clients were measured to read them."""
    assert len(encode(Message(layout, {}), version)) == count


def test_layouts_cite_their_source() -> None:
    """No layout is there without saying where it is known from."""
    assert [layout.name for layout in ALL if not layout.source] == []


def test_layouts_have_distinct_names_and_ids() -> None:
    """No layout hides another."""
    assert len({layout.name for layout in ALL}) == len(ALL)
    assert len({layout.message_id for layout in REPLIES}) == len(REPLIES)


def test_requests_are_all_answered() -> None:
    """Every request that can be decoded has a handler; startApi is the gateway's own."""
    assert {layout.name for layout in REQUESTS.values()} == {*HANDLERS, "startApi"}


@pytest.mark.parametrize("text", ["1_0", "١", "0x1", " 1", "1.5", "9" * 30])
def test_integer_field_refuses_what_only_python_reads(text: str) -> None:
    """Python's own spellings of a whole number are no numbers on the wire."""
    layout = REQUESTS[71]
    with pytest.raises(Undecodable, match="clientId"):
        decode(layout, ["71", "2", text, ""], NEWEST_VERSION)


@pytest.mark.parametrize(
    "text",
    [
        "1.7976931348623157E308",
        "1.7976931348623157e+308",
        # Go's strconv.FormatFloat(math.MaxFloat64, 'f', -1, 64), and its fmt.Sprintf("%f").
        "17976931348623157" + "0" * 292,
        f"{sys.float_info.max:f}",
    ],
)
def test_largest_double_is_unset_in_every_spelling(text: str) -> None:
    """A client's way to write the unset double does not make its order unreadable."""
    fields = encode(Message(REQUESTS[3], {"totalQuantity": Decimal(7)}), 178)
    fields[fields.index("7")] = text
    assert decode(REQUESTS[3], fields, 178).number("totalQuantity") is None


def test_order_is_told_with_what_is_unset_as_the_real_gateway_tells_it() -> None:
    """Prices are 0.0, sizes the largest integer, sums of margin and what a stop would be adjusted to the largest double."""
    fields = encode(Message(OPEN_ORDER, {"orderType": "MKT", "status": "Submitted", "lmtPrice": None}), 178)
    assert fields[fields.index("MKT") :][1:3] == ["0.0", "0.0"]
    assert fields[fields.index("Submitted") :][1:10] == ["1.7976931348623157E308"] * 9
    assert fields.count("1.7976931348623157E308") == 9 + 6
    assert fields.count("2147483647") == 3


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e9999", "1_0", ""])
def test_number_field_is_finite_or_unset(text: str) -> None:
    """No decimal that cannot be calculated with comes in."""
    fields = encode(Message(REQUESTS[3], {"totalQuantity": Decimal(7)}), NEWEST_VERSION)
    fields[fields.index("7")] = text
    if text:
        with pytest.raises(Undecodable, match="totalQuantity"):
            decode(REQUESTS[3], fields, NEWEST_VERSION)
    else:
        assert decode(REQUESTS[3], fields, NEWEST_VERSION).number("totalQuantity") is None


def test_whole_number_is_written_without_a_fraction() -> None:
    """The official client at version 157 reads sizes as integers."""
    fields = encode(Message(OPEN_ORDER, {"totalQuantity": Decimal("10.0")}), OLDEST_VERSION)
    assert "10" in fields
    assert "10.0" not in fields
