"""Drives the official ibapi, of any version, and what others have made of it."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import threading
from collections.abc import Callable
from typing import Any

from . import ibapi_terms as its
from .callbacks import Answer, Answers, Key, forwarding
from .driver import ANSWER_S, Driver
from .journal import Complaints, Journal
from .terms import (
    Bar,
    Bracket,
    CompletedOrder,
    Contract,
    Execution,
    ExecutionFilter,
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

# Far above the order ids, because the gateway's errors name both in the same field.
_FIRST_REQUEST_ID = 1_000_000


class IbapiDriver(Driver):
    """Drives an EClient, whose message loop runs in a thread that ends with the connection."""

    def __init__(self) -> None:
        super().__init__(Complaints("ibapi.decoder", "ibapi.client", "ibapi.reader"))
        self._client: Any = None
        self._loop: threading.Thread | None = None
        self._begin()

    def _begin(self) -> None:
        self._journal, self._answers = Journal(), Answers()
        self._request_ids = itertools.count(_FIRST_REQUEST_ID)
        self._accounts: tuple[str, ...] = ()
        self._next_order_id = 0
        self._placed: dict[int, Ticket] = {}
        self._reports: dict[str, Any] = {}

    async def connect(self, *, port: int, client_id: int, timeout_s: float) -> Session:
        """Connect a new EClient; the gateway has taken it once the next order id is known."""
        await self.disconnect()
        self._begin()
        wrapper = forwarding(importlib.import_module("ibapi.wrapper").EWrapper, self._take)
        self._client = importlib.import_module("ibapi.client").EClient(wrapper)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.to_thread(self._client.connect, "127.0.0.1", port, client_id)
            self._loop = threading.Thread(target=self._client.run, name="ibapi")
            self._loop.start()
            await self._journal.until(lambda: self._next_order_id and self._accounts, "a next order id", timeout_s)
        except BaseException:
            await self.disconnect()
            raise
        return Session(self._client.serverVersion(), self._accounts, self._next_order_id)

    async def disconnect(self) -> None:
        """End the connection, if there is one, and the message loop."""
        if self._client is not None:
            self._client.disconnect()
            # Something to read, so that the loop looks at once whether it is still connected.
            self._client.msg_queue.put(b"")
        if self._loop is not None:
            await asyncio.to_thread(self._loop.join)
        self._loop = None

    async def is_connected(self) -> bool:
        """Say whether the library believes that it is connected."""
        return self._client is not None and bool(self._client.isConnected())

    async def current_time(self) -> int:
        """Ask for the gateway's time, in seconds since 1970."""
        answer = await self._answer("currentTime", self._client.reqCurrentTime)
        ((_, (epoch_s,)),) = answer.rows
        return int(epoch_s)

    async def qualify(self, *, symbol: str, security_type: str, local_symbol: str) -> list[Contract]:
        """Ask for the contracts that fit, by either symbol; none if the gateway refuses."""
        asked = its.stock(symbol, security_type)
        asked.localSymbol = local_symbol
        answer = await self._answer_by_id(lambda request_id: self._client.reqContractDetails(request_id, asked))
        return [its.contract(details) for _, (details,) in answer.rows]

    async def bars(
        self, *, symbol: str, duration: str, bar_size: str, end: str, format_date: int, use_rth: bool
    ) -> list[Bar]:
        """Ask for the trades of the past; none if the gateway refuses."""
        answer = await self._answer_by_id(
            lambda request_id: self._client.reqHistoricalData(
                request_id, its.stock(symbol), end, duration, bar_size, "TRADES", int(use_rth), format_date, False, []
            )
        )
        return [its.bar(told) for _, (told,) in answer.rows]

    async def intraday_bars(self, *, symbol: str, duration: str, bar_size: str) -> list[IntradayBar]:
        """Ask for the trades of the past in bars below a day; none if the gateway refuses."""
        answer = await self._answer_by_id(
            lambda request_id: self._client.reqHistoricalData(
                request_id, its.stock(symbol), "", duration, bar_size, "TRADES", 1, 2, False, []
            )
        )
        return [its.intraday_bar(told) for _, (told,) in answer.rows]

    async def snapshot(self, *, symbol: str) -> Quote:
        """Ask for the ticks of the moment."""
        answer = await self._answer_by_id(
            lambda request_id: self._client.reqMktData(request_id, its.stock(symbol), "", True, False, [])
        )
        return its.quote(answer.rows)

    async def stream(self, *, symbol: str) -> Quote:
        """Subscribe to ticks, wait until each has come, and end the subscription."""
        request_id = next(self._request_ids)
        answer = self._answers.expect(request_id)
        self._client.reqMktData(request_id, its.stock(symbol), "", False, False, [])

        def is_whole() -> bool:
            return {arguments[0] for _, arguments in answer.rows} >= its.TICKS_OF_A_QUOTE

        await self._journal.until(is_whole, f"ticks of {symbol}", ANSWER_S)
        self._client.cancelMktData(request_id)
        self._answers.end(request_id)
        return its.quote(answer.rows)

    async def modify(self, *, order_id: int, limit_price: float) -> None:
        """Put another limit on an order of this connection."""
        ticket = self._placed[order_id]
        order = its.order_of(ticket)
        order.lmtPrice = limit_price
        self._client.placeOrder(order_id, its.stock(ticket.symbol), order)

    async def cancel(self, *, order_id: int) -> None:
        """Cancel the order with this id, whether or not there is one."""
        self._client.cancelOrder(order_id, *its.cancel_terms())

    async def open_orders(self, *, everyone: bool) -> list[OpenOrder]:
        """Ask for the open orders of this client, or of all."""
        send = self._client.reqAllOpenOrders if everyone else self._client.reqOpenOrders
        answer = await self._answer("openOrders", send)
        return [
            OpenOrder(order_id, order.permId, order.clientId, its.ticket_of(described, order), state.status)
            for _, (order_id, described, order, state) in answer.rows
        ]

    async def completed_orders(self) -> list[CompletedOrder]:
        """Ask for the orders that are done."""
        answer = await self._answer("completedOrders", lambda: self._client.reqCompletedOrders(False))
        return [
            CompletedOrder(order.permId, its.ticket_of(described, order), state.status, float(order.filledQuantity))
            for _, (described, order, state) in answer.rows
        ]

    async def positions(self) -> list[Position]:
        """Ask for the positions, and follow them from then on."""
        answer = await self._answer("positions", self._client.reqPositions)
        return [its.position(*arguments) for _, arguments in answer.rows]

    async def account_summary(self) -> list[SummaryValue]:
        """Ask for the account's figures."""
        tags = importlib.import_module("ibapi.account_summary_tags").AccountSummaryTags.AllTags
        answer = await self._answer_by_id(lambda request_id: self._client.reqAccountSummary(request_id, "All", tags))
        return [SummaryValue(*arguments) for _, arguments in answer.rows]

    async def account_updates(self) -> list[SummaryValue]:
        """Follow the account's values until all have come."""
        (account,) = self._accounts
        answer = await self._answer("accountUpdates", lambda: self._client.reqAccountUpdates(True, account))
        self._client.reqAccountUpdates(False, account)
        return [SummaryValue(of, tag, value, currency) for _, (tag, value, currency, of) in answer.rows]

    async def pnl(self) -> Pnl:
        """Follow what the account has won until the first figures have come."""
        request_id = next(self._request_ids)
        answer = await self._answer(request_id, lambda: self._client.reqPnL(request_id, self._accounts[0], ""))
        self._client.cancelPnL(request_id)
        ((_, figures),) = answer.rows
        return its.pnl(*figures)

    async def _place(self, ticket: Ticket, order_id: int | None) -> int:
        order_id = self._take_order_id() if order_id is None else order_id
        return self._send(order_id, ticket, its.order_of(ticket))

    async def _bracket(self, wanted: Bracket) -> list[int]:
        first = self._next_order_id
        self._next_order_id += 3
        legs = its.bracket_of(wanted, first)
        return [self._send(first + place, *leg) for place, leg in enumerate(legs)]

    async def _one_cancels_all(self, tickets: list[Ticket], group: str) -> list[int]:
        orders = [its.order_of(ticket) for ticket in tickets]
        for order in orders:
            order.ocaGroup, order.ocaType = group, 1
        return [self._send(self._take_order_id(), ticket, order) for ticket, order in zip(tickets, orders, strict=True)]

    def _send(self, order_id: int, ticket: Ticket, order: Any) -> int:
        self._placed[order_id] = ticket
        self._client.placeOrder(order_id, its.stock(ticket.symbol), order)
        return order_id

    async def _what_if(self, ticket: Ticket) -> WhatIf:
        order_id, order = self._take_order_id(), its.order_of(ticket)
        order.whatIf = True
        answer = await self._answer(
            order_id, lambda: self._client.placeOrder(order_id, its.stock(ticket.symbol), order)
        )
        ((_, (state,)),) = answer.rows
        return its.what_if(state)

    async def _executions(self, wanted: ExecutionFilter) -> list[Execution]:
        answer = await self._answer_by_id(
            lambda request_id: self._client.reqExecutions(request_id, its.filter_of(wanted))
        )
        return [its.execution(described, done, self._reports[done.execId]) for _, (described, done) in answer.rows]

    def _take_order_id(self) -> int:
        self._next_order_id += 1
        return self._next_order_id - 1

    async def _answer_by_id(self, send: Callable[[int], None]) -> Answer:
        request_id = next(self._request_ids)
        return await self._answer(request_id, lambda: send(request_id))

    async def _answer(self, key: Key, send: Callable[[], None]) -> Answer:
        answer = self._answers.expect(key)
        send()
        await answer.is_whole.wait()
        if self._journal.is_over:
            raise ConnectionError(f"the connection ended before the answer to request {key}")
        return answer

    def _take(self, name: str, arguments: tuple[Any, ...]) -> None:
        self._answers.take(name, arguments)
        self._take_about_connection(name, arguments)
        self._take_about_orders(name, arguments)
        self._journal.note_change()

    def _take_about_connection(self, name: str, arguments: tuple[Any, ...]) -> None:
        match name, arguments:
            case "managedAccounts", (accounts,):
                self._accounts = tuple(accounts.split(","))
            case "nextValidId", (order_id,):
                self._next_order_id = order_id
            case "error", _:
                fault = its.fault(*arguments)
                self._journal.faults.append(fault)
                self._answers.end(fault.request_id)
            case "connectionClosed", _:
                self._journal.is_over = True
                self._answers.end_all()

    def _take_about_orders(self, name: str, arguments: tuple[Any, ...]) -> None:
        match name, arguments:
            case "orderStatus", (order_id, status, filled, remaining, price, perm_id, _, _, client_id, *_):
                if client_id == self._client.clientId:
                    progress = Progress(status, float(filled), float(remaining), price, perm_id)
                    self._journal.note_progress(order_id, progress)
            case "openOrder", (order_id, _, order, state) if order.whatIf:
                self._answers.add(order_id, name, (state,))
                self._answers.end(order_id)
            case "execDetails", (_, described, done):
                self._journal.note_execution(its.execution(described, done))
            case "commissionReport" | "commissionAndFeesReport", (report,):
                self._reports[report.execId] = report
                self._journal.note_commission(
                    report.execId, its.commission(report), report.currency, its.realized_pnl(report)
                )
            case "position", _:
                held = its.position(*arguments)
                self._journal.positions[held.symbol] = held
