"""Drives ib_insync and ib_async, which share what is used of them here."""

from __future__ import annotations

import importlib
from typing import Any

from . import asyncio_terms as its
from .driver import ANSWER_S, Driver
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

# What these libraries presume by themselves; the gateway has said nothing then.
_PRESUMED = {"PendingSubmit", "PendingCancel"}


class AsyncioDriver(Driver):
    """Drives one of the two.

    Args:
        name: of the library's module; its import needs a running event loop.
    """

    def __init__(self, name: str) -> None:
        super().__init__(Complaints(f"{name}.Decoder"))
        self._library: Any = importlib.import_module(name)
        self._ib: Any = self._library.IB()
        self._contracts: dict[str, Any] = {}
        self._trades: dict[int, Any] = {}

    async def connect(self, *, port: int, client_id: int, timeout_s: float) -> Session:
        """Connect a new IB object."""
        await self.disconnect()
        self._journal, self._contracts, self._trades = Journal(), {}, {}
        self._ib = ib = self._library.IB()
        ib.updateEvent += self._on_update
        ib.disconnectedEvent += self._on_end
        ib.errorEvent += self._on_error
        ib.orderStatusEvent += self._on_status
        ib.execDetailsEvent += self._on_execution
        ib.commissionReportEvent += self._on_commission
        ib.positionEvent += self._on_position
        await ib.connectAsync("127.0.0.1", port, clientId=client_id, timeout=timeout_s)
        return Session(ib.client.serverVersion(), tuple(ib.managedAccounts()), ib.client.getReqId())

    async def disconnect(self) -> None:
        """End the connection, if there is one."""
        self._ib.disconnect()

    async def is_connected(self) -> bool:
        """Say whether the library believes that it is connected."""
        connected: bool = self._ib.isConnected()
        return connected

    async def current_time(self) -> int:
        """Ask for the gateway's time, in seconds since 1970."""
        return int((await self._ib.reqCurrentTimeAsync()).timestamp())

    async def qualify(self, *, symbol: str, security_type: str, local_symbol: str) -> list[Contract]:
        """Ask for the contracts that fit, by either symbol; none if the gateway refuses."""
        asked = self._library.Contract(secType=security_type, symbol=symbol, exchange="SMART", currency="USD")
        asked.localSymbol = local_symbol
        found = await self._ib.qualifyContractsAsync(asked)
        # ib_async leaves a gap for a contract that it does not find, ib_insync none.
        return [its.contract(contract) for contract in found if contract is not None]

    async def bars(
        self, *, symbol: str, duration: str, bar_size: str, end: str, format_date: int, use_rth: bool
    ) -> list[Bar]:
        """Ask for the trades of the past; none if the gateway refuses."""
        contract = await self._contract(symbol)
        found = await self._ib.reqHistoricalDataAsync(
            contract, end, duration, bar_size, "TRADES", useRTH=use_rth, formatDate=format_date, timeout=ANSWER_S
        )
        return [its.bar(told) for told in found]

    async def intraday_bars(self, *, symbol: str, duration: str, bar_size: str) -> list[IntradayBar]:
        """Ask for the trades of the past in bars below a day; none if the gateway refuses."""
        contract = await self._contract(symbol)
        found = await self._ib.reqHistoricalDataAsync(
            contract, "", duration, bar_size, "TRADES", useRTH=True, formatDate=2, timeout=ANSWER_S
        )
        return [its.intraday_bar(told) for told in found]

    async def snapshot(self, *, symbol: str) -> Quote:
        """Ask for the ticks of the moment."""
        (ticker,) = await self._ib.reqTickersAsync(await self._contract(symbol))
        return its.quote(ticker)

    async def stream(self, *, symbol: str) -> Quote:
        """Subscribe to ticks, wait until each has come, and end the subscription."""
        contract = await self._contract(symbol)
        ticker = self._ib.reqMktData(contract)

        def is_whole() -> bool:
            ticks = (ticker.bid, ticker.ask, ticker.last, ticker.open, ticker.high, ticker.low, ticker.close)
            return all(tick == tick for tick in (*ticks, ticker.volume))  # noqa: PLR0124 - what has not come is NaN

        await self._journal.until(is_whole, f"ticks of {symbol}", ANSWER_S)
        self._ib.cancelMktData(contract)
        return its.quote(ticker)

    async def modify(self, *, order_id: int, limit_price: float) -> None:
        """Put another limit on an order of this connection."""
        trade = self._trades[order_id]
        trade.order.lmtPrice = limit_price
        self._ib.placeOrder(trade.contract, trade.order)

    async def cancel(self, *, order_id: int) -> None:
        """Cancel the order with this id, whether or not there is one."""
        placed = self._trades.get(order_id)
        self._ib.cancelOrder(self._library.Order(orderId=order_id) if placed is None else placed.order)

    async def open_orders(self, *, everyone: bool) -> list[OpenOrder]:
        """Ask for the open orders of this client, or of all."""
        ask = self._ib.reqAllOpenOrdersAsync if everyone else self._ib.reqOpenOrdersAsync
        return [
            OpenOrder(t.order.orderId, t.order.permId, t.order.clientId, its.ticket(t), t.orderStatus.status)
            for t in await ask()
        ]

    async def completed_orders(self) -> list[CompletedOrder]:
        """Ask for the orders that are done."""
        return [
            CompletedOrder(t.order.permId, its.ticket(t), t.orderStatus.status, t.order.filledQuantity)
            for t in await self._ib.reqCompletedOrdersAsync(apiOnly=False)
        ]

    async def positions(self) -> list[Position]:
        """Ask for the positions; the library follows them from its connect on."""
        return [its.position(held) for held in await self._ib.reqPositionsAsync()]

    async def account_summary(self) -> list[SummaryValue]:
        """Ask for the account's figures."""
        # The other call answers from memory once there is something in it.
        await self._ib.reqAccountSummaryAsync()
        return [SummaryValue(v.account, v.tag, v.value, v.currency) for v in await self._ib.accountSummaryAsync()]

    async def account_updates(self) -> list[SummaryValue]:
        """Follow the account's values until all have come; the library follows them from its connect on."""
        (account,) = self._ib.managedAccounts()
        await self._ib.reqAccountUpdatesAsync(account)
        return [SummaryValue(v.account, v.tag, v.value, v.currency) for v in self._ib.accountValues(account)]

    async def pnl(self) -> Pnl:
        """Follow what the account has won until the first figures have come."""
        (account,) = self._ib.managedAccounts()
        told = self._ib.reqPnL(account)
        heard: list[Any] = []
        self._ib.pnlEvent += heard.append
        await self._journal.until(lambda: heard, "profit and loss", ANSWER_S)
        self._ib.cancelPnL(account)
        return its.pnl(told)

    async def _place(self, ticket: Ticket, order_id: int | None) -> int:
        order = self._order(ticket)
        order.orderId = order_id or 0
        return self._send(await self._contract(ticket.symbol), order)

    async def _bracket(self, wanted: Bracket) -> list[int]:
        contract = await self._contract(wanted.symbol)
        prices = (wanted.limit_price, wanted.take_profit_price, wanted.stop_loss_price)
        orders = self._ib.bracketOrder(wanted.action, wanted.quantity, *prices)
        return [self._send(contract, order) for order in orders]

    async def _one_cancels_all(self, tickets: list[Ticket], group: str) -> list[int]:
        contracts = [await self._contract(ticket.symbol) for ticket in tickets]
        orders = self._ib.oneCancelsAll([self._order(ticket) for ticket in tickets], group, 1)
        return [self._send(contract, order) for contract, order in zip(contracts, orders, strict=True)]

    def _send(self, contract: Any, order: Any) -> int:
        trade = self._ib.placeOrder(contract, order)
        order_id: int = trade.order.orderId
        self._trades[order_id] = trade
        return order_id

    async def _what_if(self, ticket: Ticket) -> WhatIf:
        state = await self._ib.whatIfOrderAsync(await self._contract(ticket.symbol), self._order(ticket))
        margin = (float(state.initMarginBefore), float(state.initMarginChange), float(state.initMarginAfter))
        return WhatIf(
            state.status, *margin, float(state.equityWithLoanAfter), state.commission, state.commissionCurrency
        )

    async def _executions(self, wanted: ExecutionFilter) -> list[Execution]:
        fills = await self._ib.reqExecutionsAsync(
            self._library.ExecutionFilter(
                clientId=wanted.client_id,
                acctCode=wanted.account,
                time=wanted.since,
                symbol=wanted.symbol,
                side=wanted.side,
            )
        )
        # The library enters a commission only in the fill that it saw first.
        reports = {fill.execution.execId: fill.commissionReport for fill in self._ib.fills()}
        return [its.execution(fill, reports[fill.execution.execId]) for fill in fills]

    async def _contract(self, symbol: str) -> Any:
        if symbol not in self._contracts:
            (self._contracts[symbol],) = await self._ib.qualifyContractsAsync(
                self._library.Stock(symbol, "SMART", "USD")
            )
        return self._contracts[symbol]

    def _order(self, ticket: Ticket) -> Any:
        order = self._library.Order(
            action=ticket.action,
            totalQuantity=ticket.quantity,
            orderType=ticket.order_type,
            orderRef=ticket.reference,
        )
        if ticket.limit_price is not None:
            order.lmtPrice = ticket.limit_price
        if ticket.stop_price is not None:
            order.auxPrice = ticket.stop_price
        return order

    def _on_update(self) -> None:
        self._journal.note_change()

    def _on_end(self) -> None:
        self._journal.is_over = True
        self._journal.note_change()

    def _on_error(self, request_id: int, code: int, text: str, _contract: Any) -> None:
        self._journal.faults.append(Fault(request_id, code, text))

    def _on_status(self, trade: Any) -> None:
        now = trade.orderStatus
        if trade.order.clientId == self._ib.client.clientId and now.status not in _PRESUMED:
            progress = Progress(now.status, now.filled, now.remaining, now.avgFillPrice, now.permId)
            self._journal.note_progress(trade.order.orderId, progress)

    def _on_execution(self, _trade: Any, fill: Any) -> None:
        self._journal.note_execution(its.execution(fill, fill.commissionReport))

    def _on_commission(self, _trade: Any, fill: Any, report: Any) -> None:
        self._journal.note_commission(fill.execution.execId, report.commission, report.currency, report.realizedPNL)

    def _on_position(self, held: Any) -> None:
        self._journal.positions[held.contract.symbol] = its.position(held)
