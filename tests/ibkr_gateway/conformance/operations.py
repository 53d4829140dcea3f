"""What a trading program does with a gateway: one list of operations, each of which runs with every client library.

An operation is given a client that is connected to a clean gateway as client 1, and fails where the library, or the
gateway's ledger, says anything else than the real gateway would let them say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from tests.ibkr_gateway.conformance import source_prices
from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Bracket, Ticket
from tests.ibkr_gateway.conformance.process import CallFailed
from tests.ibkr_gateway.stub import ACCOUNT, CLOCK, Stub, wait_until

Do: TypeAlias = Callable[[Client, Stub], None]

CON_ID = 265598
NOT_CONNECTED = 504
_RESTING = Ticket("AAPL", "BUY", 5, "LMT", limit_price=100.25, reference="rests")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a trading program does.

    Args:
        name: as the table calls it.
        do: does it, and fails if it does not come out as it should.
    """

    name: str
    do: Do


def _connect(client: Client, stub: Stub) -> None:
    session = client.connect(stub.port, 3)
    assert (session.accounts, client.is_connected()) == ((ACCOUNT,), True)
    assert session.next_order_id >= 1


def _current_time(client: Client, _stub: Stub) -> None:
    told = datetime.fromtimestamp(client.current_time(), UTC)
    assert abs((told.date() - date.fromisoformat(CLOCK)).days) <= 1


def _contract(client: Client, _stub: Stub) -> None:
    (found,) = client.qualify("AAPL")
    assert (found.con_id, found.symbol, found.currency) == (CON_ID, "AAPL", "USD")


def _contract_by_local_symbol(client: Client, _stub: Stub) -> None:
    (found,) = client.qualify("", local_symbol="AAPL")
    assert (found.con_id, found.symbol) == (CON_ID, "AAPL")


def _daily_bars(client: Client, _stub: Stub) -> None:
    assert client.bars("AAPL", "1 Y") == source_prices.daily("AAPL", 1)


def _intraday_bars(client: Client, _stub: Stub) -> None:
    bars = client.intraday_bars("AAPL", "1 D", "1 hour")
    # From 9:30 to 16:00 in New York.
    assert len(bars) == 7
    assert [bar.at_s for bar in bars] == sorted({bar.at_s for bar in bars})
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)


def _snapshot(client: Client, _stub: Stub) -> None:
    quote, last = client.snapshot("AAPL"), source_prices.daily("AAPL", 1)[-1].close
    assert quote.last == last
    assert quote.bid <= last <= quote.ask


def _stream(client: Client, _stub: Stub) -> None:
    quote, last = client.stream("AAPL"), source_prices.daily("AAPL", 1)[-1].close
    assert quote.last == last
    assert client.current_time() > 0


def _market_order(client: Client, stub: Stub) -> None:
    order_id = client.place(Ticket("AAPL", "BUY", 10, reference="market"))
    assert client.wait_for_status(order_id, "Filled")[-1].filled == 10
    (execution,) = client.wait_for_fills(order_id)
    (fill,) = stub.entries("fill")
    assert (execution.exec_id, execution.shares, execution.commission) == (fill["exec_id"], 10, 1.0)
    assert [(order["order_ref"], order["status"]) for order in stub.orders()] == [("market", "Filled")]


def _limit_order(client: Client, stub: Stub) -> None:
    order_id = client.place(_RESTING)
    client.wait_for_status(order_id, "Submitted")
    client.modify(order_id, 101.5)
    wait_until(lambda: stub.entries("order_modified"), "the new limit arrives", evidence=stub.orders)
    client.cancel(order_id)
    assert client.wait_for_status(order_id, "Cancelled")[-1].filled == 0
    assert [(order["order_ref"], order["status"]) for order in stub.orders()] == [("rests", "Cancelled")]


def _bracket(client: Client, stub: Stub) -> None:
    parent, *children = client.bracket(Bracket("AAPL", "BUY", 10, 300.0, 600.0, 200.0))
    client.wait_for_status(parent, "Submitted")
    for child in children:
        client.wait_for_status(child, "PreSubmitted")
    # The parent waits, and with it what would end what it began.
    client.cancel(parent)
    for order_id in (parent, *children):
        client.wait_for_status(order_id, "Cancelled")
    assert ({order["status"] for order in stub.orders()}, stub.entries("fill")) == ({"Cancelled"}, [])


def _filled_bracket(client: Client, stub: Stub) -> None:
    # The stop is above the market, so that it fills as soon as the parent has.
    parent, target, stop = client.bracket(Bracket("AAPL", "BUY", 10, 431.0, 600.0, 430.9))
    client.wait_for_fills(parent)
    client.wait_for_fills(stop)
    assert client.wait_for_status(target, "Cancelled")[-1].filled == 0
    assert [(fill["side"], fill["shares"]) for fill in stub.entries("fill")] == [("BOT", "10"), ("SLD", "10")]


def _one_cancels_all(client: Client, stub: Stub) -> None:
    marketable = Ticket("AAPL", "BUY", 10, "LMT", limit_price=500.0)
    first, second = client.one_cancels_all([marketable, _RESTING], "one of two")
    client.wait_for_status(first, "Filled")
    client.wait_for_status(second, "Cancelled")
    assert [fill["shares"] for fill in stub.entries("fill")] == ["10"]


def _open_orders(client: Client, stub: Stub) -> None:
    order_id = client.place(_RESTING)
    client.wait_for_status(order_id, "Submitted")
    (resting,) = client.open_orders()
    assert (resting.order_id, resting.ticket.limit_price, resting.status) == (order_id, 100.25, "Submitted")
    assert resting.perm_id == stub.orders()[0]["perm_id"]


def _completed_orders(client: Client, _stub: Stub) -> None:
    order_id = client.place(Ticket("AAPL", "BUY", 7, reference="done"))
    client.wait_for_fills(order_id)
    (done,) = client.completed_orders()
    assert (done.ticket.reference, done.status) == ("done", "Filled")


def _executions(client: Client, stub: Stub) -> None:
    client.wait_for_fills(client.place(Ticket("AAPL", "SELL", 3, reference="sold")))
    (execution,) = client.executions()
    (fill,) = stub.entries("fill")
    assert (execution.exec_id, execution.side, execution.shares) == (fill["exec_id"], "SLD", 3)


def _account_summary(client: Client, _stub: Stub) -> None:
    told = client.account_summary()["NetLiquidation"]
    assert (told.account, float(told.value), told.currency) == (ACCOUNT, 1_000_000, "USD")


def _account_updates(client: Client, _stub: Stub) -> None:
    told = client.account_updates()["NetLiquidation"]
    assert (told.account, float(told.value)) == (ACCOUNT, 1_000_000)


def _positions(client: Client, _stub: Stub) -> None:
    client.wait_for_fills(client.place(Ticket("AAPL", "BUY", 10)))
    assert [(held.con_id, held.quantity) for held in client.positions()] == [(CON_ID, 10)]


def _profit_and_loss(client: Client, _stub: Stub) -> None:
    client.wait_for_fills(client.place(Ticket("AAPL", "BUY", 10)))
    assert client.pnl().unrealized is not None


def _unknown_contract(client: Client, _stub: Stub) -> None:
    _expect_refusal(client, lambda: client.qualify("AAPL", "NONE"), 200)


def _beyond_buying_power(client: Client, stub: Stub) -> None:
    _expect_refusal(client, lambda: client.place(Ticket("AAPL", "BUY", 1_000_000)), 201)
    assert stub.entries("fill") == []


def _price_off_the_tick(client: Client, stub: Stub) -> None:
    off = Ticket("AAPL", "BUY", 1, "LMT", limit_price=100.123)
    _expect_refusal(client, lambda: client.place(off), 110)
    assert stub.orders() == []


def _used_order_id(client: Client, stub: Stub) -> None:
    used = client.place(Ticket("AAPL", "BUY", 1))
    client.wait_for_fills(used)
    _expect_refusal(client, lambda: client.place_as(used, Ticket("AAPL", "SELL", 1)), 103)
    assert [fill["side"] for fill in stub.entries("fill")] == ["BOT"]


def _cancel_of_an_unknown_order(client: Client, _stub: Stub) -> None:
    _expect_refusal(client, lambda: client.cancel(4711), 10147)


def _reconnect(client: Client, stub: Stub) -> None:
    order_id = client.place(_RESTING)
    client.wait_for_status(order_id, "Submitted")
    client.disconnect()
    wait_until(lambda: stub.entries("connection_closed"), "the end of the connection", evidence=stub.entries)
    assert client.connect(stub.port, 1).next_order_id > order_id
    assert [(order.order_id, order.ticket.reference) for order in client.open_orders()] == [(order_id, "rests")]


def _order_while_disconnected(client: Client, stub: Stub) -> None:
    client.qualify("AAPL")
    stub.reset()
    client.wait_for_end()
    told = _failure_of(lambda: client.place(Ticket("AAPL", "BUY", 1)))
    assert told or NOT_CONNECTED in _codes(client), "the caller is not told that the order did not leave"
    client.connect(stub.port, 1)
    assert client.current_time() > 0
    assert stub.entries("order_received") == []


def _expect_refusal(client: Client, ask: Callable[[], object], code: int) -> None:
    """Fail unless the client is told of that error, and goes on."""
    failure = _failure_of(ask)

    def is_told() -> bool:
        # What came before the answer has been read then.
        return client.current_time() > 0 and code in _codes(client)

    wait_until(is_told, f"error {code}", evidence=lambda: (failure, client.faults()))


def _failure_of(ask: Callable[[], object]) -> str:
    try:
        ask()
    except CallFailed as failed:
        return str(failed)
    return ""


def _codes(client: Client) -> set[int]:
    return {fault.code for fault in client.faults()}


OPERATIONS = (
    Operation("connect", _connect),
    Operation("current time", _current_time),
    Operation("contract details", _contract),
    Operation("contract by local symbol", _contract_by_local_symbol),
    Operation("daily bars", _daily_bars),
    Operation("bars of an hour", _intraday_bars),
    Operation("snapshot of a quote", _snapshot),
    Operation("stream of ticks", _stream),
    Operation("market order to its commission", _market_order),
    Operation("limit order, changed, cancelled", _limit_order),
    Operation("bracket that waits, cancelled", _bracket),
    Operation("bracket that fills", _filled_bracket),
    Operation("one cancels all", _one_cancels_all),
    Operation("open orders", _open_orders),
    Operation("completed orders", _completed_orders),
    Operation("executions", _executions),
    Operation("account summary", _account_summary),
    Operation("account updates", _account_updates),
    Operation("positions", _positions),
    Operation("profit and loss", _profit_and_loss),
    Operation("error 200, unknown contract", _unknown_contract),
    Operation("error 201, beyond the buying power", _beyond_buying_power),
    Operation("error 110, price off the tick", _price_off_the_tick),
    Operation("error 103, order id used before", _used_order_id),
    Operation("error 10147, cancel of an unknown order", _cancel_of_an_unknown_order),
    Operation("reconnect with an open order", _reconnect),
    Operation("order while disconnected", _order_while_disconnected),
)
"""In the order of the table."""
