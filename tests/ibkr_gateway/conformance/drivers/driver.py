"""The commands that every client library is driven with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .journal import Complaints, Journal
from .terms import (
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

# Within the deadline of the process that asks, so that the answer can say what is missing.
ANSWER_S = 8.0


class Driver(ABC):
    """One connection at a time, made with one client library; its public methods are the commands.

    Args:
        complaints: what the library could not make sense of.
    """

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._journal = Journal()

    @abstractmethod
    async def connect(self, *, port: int, client_id: int, timeout_s: float) -> Session:
        """Connect anew.

        Raises:
            OSError: the gateway does not take the client, or not in time.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """End the connection, if there is one."""

    @abstractmethod
    async def is_connected(self) -> bool:
        """Say whether the library believes that it is connected."""

    @abstractmethod
    async def current_time(self) -> int:
        """Ask for the gateway's time, in seconds since 1970."""

    @abstractmethod
    async def qualify(self, *, symbol: str, security_type: str, local_symbol: str) -> list[Contract]:
        """Ask for the contracts that fit, by either symbol; none if the gateway refuses."""

    @abstractmethod
    async def bars(
        self, *, symbol: str, duration: str, bar_size: str, end: str, format_date: int, use_rth: bool
    ) -> list[Bar]:
        """Ask for the trades of the past; none if the gateway refuses."""

    @abstractmethod
    async def intraday_bars(self, *, symbol: str, duration: str, bar_size: str) -> list[IntradayBar]:
        """Ask for the trades of the past in bars below a day; none if the gateway refuses."""

    @abstractmethod
    async def snapshot(self, *, symbol: str) -> Quote:
        """Ask for the ticks of the moment."""

    @abstractmethod
    async def stream(self, *, symbol: str) -> Quote:
        """Subscribe to ticks, wait until each has come, and end the subscription."""

    @abstractmethod
    async def modify(self, *, order_id: int, limit_price: float) -> None:
        """Put another limit on an order of this connection."""

    @abstractmethod
    async def cancel(self, *, order_id: int) -> None:
        """Cancel the order with this id, whether or not there is one."""

    @abstractmethod
    async def open_orders(self, *, everyone: bool) -> list[OpenOrder]:
        """Ask for the open orders of this client, or of all."""

    @abstractmethod
    async def completed_orders(self) -> list[CompletedOrder]:
        """Ask for the orders that are done."""

    @abstractmethod
    async def positions(self) -> list[Position]:
        """Ask for the positions, and follow them from then on."""

    @abstractmethod
    async def account_summary(self) -> list[SummaryValue]:
        """Ask for the account's figures."""

    @abstractmethod
    async def account_updates(self) -> list[SummaryValue]:
        """Follow the account's values until all have come."""

    @abstractmethod
    async def pnl(self) -> Pnl:
        """Follow what the account has won until the first figures have come."""

    @abstractmethod
    async def _place(self, ticket: Ticket, order_id: int | None) -> int: ...

    @abstractmethod
    async def _bracket(self, wanted: Bracket) -> list[int]: ...

    @abstractmethod
    async def _one_cancels_all(self, tickets: list[Ticket], group: str) -> list[int]: ...

    @abstractmethod
    async def _what_if(self, ticket: Ticket) -> WhatIf: ...

    @abstractmethod
    async def _executions(self, wanted: ExecutionFilter) -> list[Execution]: ...

    async def place(self, **terms: Any) -> int:
        """Place the order with these terms of a Ticket, and return its id."""
        return await self._place(Ticket(**terms), None)

    async def place_as(self, *, order_id: int, **terms: Any) -> int:
        """Place the order with these terms of a Ticket under an id of one's own choice."""
        return await self._place(Ticket(**terms), order_id)

    async def bracket(self, **terms: Any) -> list[int]:
        """Place the orders of a Bracket with the library's own helper, if it has one, and return their ids."""
        return await self._bracket(Bracket(**terms))

    async def one_cancels_all(self, *, tickets: list[dict[str, Any]], group: str) -> list[int]:
        """Place orders of which the first that is filled cancels the others, and return their ids."""
        return await self._one_cancels_all([Ticket(**terms) for terms in tickets], group)

    async def what_if(self, **terms: Any) -> WhatIf:
        """Ask what the order with these terms of a Ticket would do to the account."""
        return await self._what_if(Ticket(**terms))

    async def executions(self, **wanted: Any) -> list[Execution]:
        """Ask for the executions that pass an ExecutionFilter."""
        return await self._executions(ExecutionFilter(**wanted))

    async def wait_for_status(self, *, order_id: int, status: str) -> list[Progress]:
        """Wait until the gateway gives an order that status, and return what it said about the order until then."""

        def has_it() -> bool:
            return any(known.status == status for known in self._journal.progress.get(order_id, ()))

        await self._journal.until(has_it, f"order {order_id} {status}", ANSWER_S)
        return self._journal.progress[order_id]

    async def wait_for_fills(self, *, order_id: int, count: int) -> list[Execution]:
        """Wait until so many executions of an order have come with their commissions."""

        def have_come() -> bool:
            return len(self._journal.fills(order_id)) >= count

        await self._journal.until(have_come, f"{count} fills of order {order_id}", ANSWER_S)
        return self._journal.fills(order_id)

    async def wait_for_position(self, *, symbol: str, quantity: float) -> Position:
        """Wait until the client is told, without asking, that it holds so many shares."""

        def holds_it() -> bool:
            known = self._journal.positions.get(symbol)
            return known is not None and known.quantity == quantity

        await self._journal.until(holds_it, f"{quantity:g} {symbol}", ANSWER_S)
        return self._journal.positions[symbol]

    async def wait_for_end(self) -> None:
        """Wait until the library finds that the connection is gone."""
        await self._journal.until(lambda: self._journal.is_over, "the end of the connection", ANSWER_S)

    async def faults(self) -> list[Fault]:
        """Return the errors and notices since the connect."""
        return self._journal.faults

    async def complaints(self) -> list[str]:
        """Return, and forget, what the library logged about messages that it could not make sense of."""
        lines, self._complaints.lines = self._complaints.lines, []
        return lines
