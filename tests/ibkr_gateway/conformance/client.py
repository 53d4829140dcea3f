"""A client library as the contract tests see it: every answer is checked for its type where it comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter

from tests.ibkr_gateway.conformance.drivers.terms import (
    Bar,
    Bracket,
    CompletedOrder,
    Contract,
    Execution,
    ExecutionFilter,
    Fault,
    IntradayBar,
    OpenOrder,
    Pnl,
    Position,
    Progress,
    Quote,
    Session,
    SummaryValue,
    Ticket,
    WhatIf,
)
from tests.ibkr_gateway.conformance.process import DriverProcess

T = TypeVar("T")
# Beyond the driver's own deadlines, so that its answer says what is missing; the first one waits for its start, too.
_ANSWER_S = 60.0
_CONNECT_S = 5.0


class Client:
    """One client library in its process, connected to one gateway at a time.

    Args:
        library: its name.
        process: its driver.
    """

    def __init__(self, library: str, process: DriverProcess) -> None:
        self.library = library
        self.server_version = 0
        self._process = process

    def connect(self, port: int, client_id: int, timeout_s: float = _CONNECT_S) -> Session:
        """Connect anew."""
        session = self._ask(Session, "connect", port=port, client_id=client_id, timeout_s=timeout_s)
        self.server_version = session.server_version
        return session

    def disconnect(self) -> None:
        """End the connection, if there is one."""
        self._ask(type(None), "disconnect")

    def is_connected(self) -> bool:
        """Say whether the library believes that it is connected."""
        return self._ask(bool, "is_connected")

    def current_time(self) -> int:
        """Ask for the gateway's time, in seconds since 1970; what came before the answer has been read then."""
        return self._ask(int, "current_time")

    def qualify(self, symbol: str, security_type: str = "STK", *, local_symbol: str = "") -> list[Contract]:
        """Ask for the contracts that fit, by either symbol; none if the gateway refuses."""
        named = {"symbol": symbol, "local_symbol": local_symbol}
        return self._ask(list[Contract], "qualify", security_type=security_type, **named)

    def bars(
        self,
        symbol: str,
        duration: str,
        bar_size: str = "1 day",
        *,
        end: str = "",
        format_date: int = 1,
        use_rth: bool = True,
    ) -> list[Bar]:
        """Ask for the trades of the past; none if the gateway refuses."""
        how = {"end": end, "format_date": format_date, "use_rth": use_rth}
        return self._ask(list[Bar], "bars", symbol=symbol, duration=duration, bar_size=bar_size, **how)

    def intraday_bars(self, symbol: str, duration: str, bar_size: str) -> list[IntradayBar]:
        """Ask for the trades of the past in bars below a day; none if the gateway refuses."""
        return self._ask(list[IntradayBar], "intraday_bars", symbol=symbol, duration=duration, bar_size=bar_size)

    def snapshot(self, symbol: str) -> Quote:
        """Ask for the ticks of the moment."""
        return self._ask(Quote, "snapshot", symbol=symbol)

    def stream(self, symbol: str) -> Quote:
        """Subscribe to ticks, wait until each has come, and end the subscription."""
        return self._ask(Quote, "stream", symbol=symbol)

    def place(self, ticket: Ticket) -> int:
        """Place an order, and return its id."""
        return self._ask(int, "place", **asdict(ticket))

    def place_as(self, order_id: int, ticket: Ticket) -> int:
        """Place an order under an id of one's own choice."""
        return self._ask(int, "place_as", order_id=order_id, **asdict(ticket))

    def bracket(self, wanted: Bracket) -> list[int]:
        """Place an entry and its two ends with the library's own helper, if it has one, and return their ids."""
        return self._ask(list[int], "bracket", **asdict(wanted))

    def one_cancels_all(self, tickets: Sequence[Ticket], group: str) -> list[int]:
        """Place orders of which the first that is filled cancels the others, and return their ids."""
        return self._ask(list[int], "one_cancels_all", tickets=[asdict(ticket) for ticket in tickets], group=group)

    def modify(self, order_id: int, limit_price: float) -> None:
        """Put another limit on an order of this connection."""
        self._ask(type(None), "modify", order_id=order_id, limit_price=limit_price)

    def cancel(self, order_id: int) -> None:
        """Cancel the order with this id, whether or not there is one."""
        self._ask(type(None), "cancel", order_id=order_id)

    def what_if(self, ticket: Ticket) -> WhatIf:
        """Ask what an order would do to the account."""
        return self._ask(WhatIf, "what_if", **asdict(ticket))

    def wait_for_status(self, order_id: int, status: str) -> list[Progress]:
        """Wait until the gateway gives an order that status, and return what it said about the order until then."""
        return self._ask(list[Progress], "wait_for_status", order_id=order_id, status=status)

    def wait_for_fills(self, order_id: int, count: int = 1) -> list[Execution]:
        """Wait until so many executions of an order have come with their commissions."""
        return self._ask(list[Execution], "wait_for_fills", order_id=order_id, count=count)

    def wait_for_position(self, symbol: str, quantity: float) -> Position:
        """Wait until the client is told, without asking, that it holds so many shares."""
        return self._ask(Position, "wait_for_position", symbol=symbol, quantity=quantity)

    def wait_for_end(self) -> None:
        """Wait until the library finds that the connection is gone."""
        self._ask(type(None), "wait_for_end")

    def positions(self) -> list[Position]:
        """Ask for the positions, and follow them from then on."""
        return self._ask(list[Position], "positions")

    def account_summary(self) -> dict[str, SummaryValue]:
        """Ask for the account's figures, by tag."""
        return {value.tag: value for value in self._ask(list[SummaryValue], "account_summary")}

    def account_updates(self) -> dict[str, SummaryValue]:
        """Follow the account's values until all have come, by tag."""
        return {value.tag: value for value in self._ask(list[SummaryValue], "account_updates")}

    def pnl(self) -> Pnl:
        """Follow what the account has won until the first figures have come."""
        return self._ask(Pnl, "pnl")

    def executions(self, wanted: ExecutionFilter | None = None) -> list[Execution]:
        """Ask for the executions that pass a filter."""
        return self._ask(list[Execution], "executions", **asdict(wanted or ExecutionFilter()))

    def open_orders(self, *, everyone: bool = False) -> list[OpenOrder]:
        """Ask for the open orders of this client, or of all."""
        return self._ask(list[OpenOrder], "open_orders", everyone=everyone)

    def completed_orders(self) -> list[CompletedOrder]:
        """Ask for the orders that are done."""
        return self._ask(list[CompletedOrder], "completed_orders")

    def faults(self) -> list[Fault]:
        """Return the errors and notices since the connect."""
        return self._ask(list[Fault], "faults")

    def complaints(self) -> list[str]:
        """Return, and forget, what the library logged about messages that it could not make sense of."""
        return self._ask(list[str], "complaints")

    def end(self) -> None:
        """End the driver."""
        self._process.end()

    def _ask(self, kind: type[T], command: str, **arguments: Any) -> T:
        return TypeAdapter(kind).validate_python(self._process.ask(command, arguments, _ANSWER_S))
