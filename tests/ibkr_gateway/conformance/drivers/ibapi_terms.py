"""The official library's objects from terms, and terms from its objects."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .terms import Bar, Contract, Execution, ExecutionFilter, Position, Quote, Ticket, WhatIf

# Source: "Tick Types" in the TWS API documentation.
_TICKS = {
    "bid": 1,
    "ask": 2,
    "last": 4,
    "bid_size": 0,
    "ask_size": 3,
    "last_size": 5,
    "open": 14,
    "high": 6,
    "low": 7,
    "previous_close": 9,
    "volume": 8,
}
TICKS_OF_A_QUOTE = frozenset(_TICKS.values())
_UNSET = 1.7976931348623157e308


def stock(symbol: str, security_type: str = "STK") -> Any:
    """Describe a contract as a client does."""
    described = importlib.import_module("ibapi.contract").Contract()
    described.symbol, described.secType = symbol, security_type
    described.exchange, described.currency = "SMART", "USD"
    return described


def order_of(ticket: Ticket) -> Any:
    """Make the order that a ticket asks for."""
    order = importlib.import_module("ibapi.order").Order()
    order.action, order.totalQuantity, order.orderType = ticket.action, ticket.quantity, ticket.order_type
    order.orderRef = ticket.reference
    # The library sets both by default, and the real gateway refuses an order that has them.
    order.eTradeOnly = order.firmQuoteOnly = False
    if ticket.limit_price is not None:
        order.lmtPrice = ticket.limit_price
    if ticket.stop_price is not None:
        order.auxPrice = ticket.stop_price
    return order


def filter_of(wanted: ExecutionFilter) -> Any:
    """Make the filter that asks for these executions."""
    made = importlib.import_module("ibapi.execution").ExecutionFilter()
    made.clientId, made.acctCode, made.time = wanted.client_id, wanted.account, wanted.since
    made.symbol, made.side = wanted.symbol, wanted.side
    return made


def contract(details: Any) -> Contract:
    """Read contract details."""
    c = details.contract
    return Contract(c.conId, c.symbol, c.secType, c.exchange, c.primaryExchange, c.currency, c.tradingClass)


def bar(told: Any) -> Bar:
    """Read a bar, whose date the library leaves as text."""
    day = datetime.strptime(told.date, "%Y%m%d").date()  # noqa: DTZ007 - a date has no time zone
    return Bar(day, told.open, told.high, told.low, told.close, told.volume)


def quote(ticks: Iterable[tuple[str, tuple[Any, ...]]]) -> Quote:
    """Read ticks, of which later ones count."""
    values = {arguments[0]: arguments[1] for _, arguments in ticks}
    return Quote(**{name: values[tick_type] for name, tick_type in _TICKS.items()})


def ticket_of(described: Any, order: Any) -> Ticket:
    """Read the terms of an order."""
    return Ticket(
        symbol=described.symbol,
        action=order.action,
        quantity=order.totalQuantity,
        order_type=order.orderType,
        limit_price=order.lmtPrice if order.orderType == "LMT" else None,
        stop_price=order.auxPrice if order.orderType == "STP" else None,
        reference=order.orderRef,
    )


def execution(described: Any, done: Any, report: Any = None) -> Execution:
    """Read an execution, and its commission if that is known."""
    time, zone = done.time.rsplit(" ", 1)
    executed_at = datetime.strptime(time, "%Y%m%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
    return Execution(
        exec_id=done.execId,
        order_id=done.orderId,
        perm_id=done.permId,
        client_id=done.clientId,
        account=done.acctNumber,
        symbol=described.symbol,
        side=done.side,
        shares=done.shares,
        price=done.price,
        cumulative=done.cumQty,
        average_price=done.avgPrice,
        reference=done.orderRef,
        executed_at_s=int(executed_at.timestamp()),
        commission=0.0 if report is None else report.commission,
        commission_currency="" if report is None else report.currency,
        realized_pnl=0.0 if report is None else realized_pnl(report),
    )


def realized_pnl(report: Any) -> float:
    """Return what a fill has won; 0, as the other libraries say it, where nothing was closed."""
    return 0.0 if report.realizedPNL == _UNSET else float(report.realizedPNL)


def what_if(state: Any) -> WhatIf:
    """Read what an order would do to the account."""
    return WhatIf(
        status=state.status,
        margin_before=float(state.initMarginBefore),
        margin_change=float(state.initMarginChange),
        margin_after=float(state.initMarginAfter),
        equity_after=float(state.equityWithLoanAfter),
        commission=state.commission,
        currency=state.commissionCurrency,
    )


def position(account: str, described: Any, quantity: float, average_cost: float) -> Position:
    """Read a position."""
    return Position(account, described.conId, described.symbol, quantity, average_cost)
