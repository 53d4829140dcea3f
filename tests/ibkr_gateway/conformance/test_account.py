"""What each client library is told of positions, the account and executions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import ExecutionFilter, Position, Session, Ticket
from tests.ibkr_gateway.stub import ACCOUNT, Stub

Reconnect = Callable[[Client, int], Session]
BOUGHT = Position(ACCOUNT, 265598, "AAPL", 10, 430.58)


def trade(client: Client, ticket: Ticket) -> int:
    """Place an order and wait for its fill."""
    order_id = client.place(ticket)
    client.wait_for_fills(order_id)
    return order_id


def test_positions_follow_a_fill(client: Client) -> None:
    """There is none at first; a purchase makes one at price and commission, and a sale ends it."""
    assert client.positions() == []
    trade(client, Ticket("AAPL", "BUY", 10))
    assert client.wait_for_position("AAPL", 10) == BOUGHT
    assert client.positions() == [BOUGHT]
    trade(client, Ticket("AAPL", "SELL", 10))
    client.wait_for_position("AAPL", 0)
    assert client.positions() == []


def test_positions_follow_the_fill_of_another_client(client: Client, other: Client) -> None:
    """Positions belong to the account, so every client is told of them, with and without asking."""
    assert other.positions() == []
    trade(client, Ticket("AAPL", "BUY", 10))
    assert other.wait_for_position("AAPL", 10) == BOUGHT
    assert other.positions() == [BOUGHT]


def test_short_position_is_negative(client: Client) -> None:
    """What is sold without being held is owed, at what the sale brought in."""
    trade(client, Ticket("AAPL", "SELL", 10))
    assert client.positions() == [Position(ACCOUNT, 265598, "AAPL", -10, 430.36)]


def test_account_summary_follows_a_fill(client: Client) -> None:
    """Cash goes down by price and commission, net liquidation by the spread and the commission."""
    before = client.account_summary()
    assert (before["NetLiquidation"].value, before["NetLiquidation"].currency) == ("1000000.00", "USD")
    assert {value.account for value in before.values()} == {ACCOUNT}
    assert before["AccountType"].value == "INDIVIDUAL"
    trade(client, Ticket("AAPL", "BUY", 10))
    after = {tag: value.value for tag, value in client.account_summary().items()}
    cash = Decimal(1_000_000) - Decimal("4304.80") - 1
    assert (after["TotalCashValue"], after["GrossPositionValue"]) == (str(cash), "4304.70")
    assert Decimal(after["NetLiquidation"]) == cash + Decimal("4304.70")


def test_closing_tells_what_was_won(client: Client, stub: Stub) -> None:
    """The commission report of the sale carries what it realized, commissions included."""
    trade(client, Ticket("AAPL", "BUY", 10))
    order_id = trade(client, Ticket("AAPL", "SELL", 10))
    (sale,) = client.wait_for_fills(order_id)
    assert sale.realized_pnl == -2.2
    assert [fill["realized_pnl"] for fill in stub.entries("fill")] == [None, "-2.20"]


def test_executions_pass_the_filter(client: Client, other: Client) -> None:
    """By client, side, symbol, account and time; each comes with its commission."""
    trade(client, Ticket("AAPL", "BUY", 1, reference="one"))
    trade(other, Ticket("AAPL", "SELL", 2, reference="two"))

    def found(wanted: ExecutionFilter) -> list[tuple[str, float]]:
        return [(execution.reference, execution.commission) for execution in client.executions(wanted)]

    one, two = ("one", 1.0), ("two", 1.0)
    assert found(ExecutionFilter()) == [one, two]
    assert found(ExecutionFilter(client_id=1)) == [one]
    assert found(ExecutionFilter(client_id=2)) == [two]
    assert found(ExecutionFilter(client_id=9)) == []
    assert found(ExecutionFilter(side="BUY")) == [one]
    assert found(ExecutionFilter(side="SELL")) == [two]
    assert found(ExecutionFilter(symbol="AAPL")) == [one, two]
    assert found(ExecutionFilter(symbol="IBM")) == []
    assert found(ExecutionFilter(account=ACCOUNT)) == [one, two]
    assert found(ExecutionFilter(account="DU1")) == []
    assert found(ExecutionFilter(since="20261118 00:00:00")) == [one, two]
    assert found(ExecutionFilter(since="20261123 00:00:00")) == []


def test_executions_are_told_again_after_a_reconnect(client: Client, stub: Stub, reconnect: Reconnect) -> None:
    """What was told live and what is asked for later is the same, to the last field."""
    live = client.wait_for_fills(client.place(Ticket("AAPL", "BUY", 3, reference="again")))
    reconnect(client, 1)
    assert client.executions() == live
    assert [fill["exec_id"] for fill in stub.entries("fill")] == [execution.exec_id for execution in live]
