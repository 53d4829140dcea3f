"""The official library's objects from terms, and terms from its objects."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .terms import (
    Bar,
    Bracket,
    Contract,
    Execution,
    ExecutionFilter,
    Fault,
    IntradayBar,
    Pnl,
    Position,
    Quote,
    Ticket,
    WhatIf,
)

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


def bracket_of(wanted: Bracket, first_order_id: int) -> list[tuple[Ticket, Any]]:
    """Make the orders of a bracket; the library has no helper for it.

    Source: "Bracket Orders" in the TWS API documentation: only the last one is transmitted, and the others with it.
    """
    back = {"BUY": "SELL", "SELL": "BUY"}[wanted.action]
    tickets = [
        Ticket(wanted.symbol, wanted.action, wanted.quantity, "LMT", limit_price=wanted.limit_price),
        Ticket(wanted.symbol, back, wanted.quantity, "LMT", limit_price=wanted.take_profit_price),
        Ticket(wanted.symbol, back, wanted.quantity, "STP", stop_price=wanted.stop_loss_price),
    ]
    orders = [order_of(ticket) for ticket in tickets]
    for order in orders[1:]:
        order.parentId = first_order_id
    for order in orders[:-1]:
        order.transmit = False
    return list(zip(tickets, orders, strict=True))


def cancel_terms() -> tuple[Any, ...]:
    """Make what a cancel is told besides the order's id: nothing before 10.30."""
    if importlib.util.find_spec("ibapi.order_cancel") is None:
        return ()
    return (importlib.import_module("ibapi.order_cancel").OrderCancel(),)


def fault(request_id: int, *told: Any) -> Fault:
    """Read an error, which begins with its time from 10.30 on."""
    code, text = told[:2] if isinstance(told[1], str) else told[1:3]
    return Fault(request_id, code, text)


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
    return Bar(day, told.open, told.high, told.low, told.close, float(told.volume))


def intraday_bar(told: Any) -> IntradayBar:
    """Read a bar of less than a day, which was asked for with seconds since 1970."""
    return IntradayBar(int(told.date), told.open, told.high, told.low, told.close, float(told.volume))


def quote(ticks: Iterable[tuple[str, tuple[Any, ...]]]) -> Quote:
    """Read ticks, of which later ones count."""
    values = {arguments[0]: float(arguments[1]) for _, arguments in ticks}
    return Quote(**{name: values[tick_type] for name, tick_type in _TICKS.items()})


def ticket_of(described: Any, order: Any) -> Ticket:
    """Read the terms of an order."""
    return Ticket(
        symbol=described.symbol,
        action=order.action,
        quantity=float(order.totalQuantity),
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
        shares=float(done.shares),
        price=done.price,
        cumulative=float(done.cumQty),
        average_price=done.avgPrice,
        reference=done.orderRef,
        executed_at_s=int(executed_at.timestamp()),
        commission=0.0 if report is None else commission(report),
        commission_currency="" if report is None else report.currency,
        realized_pnl=0.0 if report is None else realized_pnl(report),
    )


def commission(told: Any) -> float:
    """Return the commission of a fill, or of an order that was asked about: it has two names."""
    return float(told.commissionAndFees if hasattr(told, "commissionAndFees") else told.commission)


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
        commission=commission(state),
        currency=_commission_currency(state),
    )


def _commission_currency(state: Any) -> str:
    renamed = hasattr(state, "commissionAndFeesCurrency")
    return str(state.commissionAndFeesCurrency if renamed else state.commissionCurrency)


def position(account: str, described: Any, quantity: float, average_cost: float) -> Position:
    """Read a position."""
    return Position(account, described.conId, described.symbol, float(quantity), average_cost)


def pnl(daily: float, unrealized: float, realized: float) -> Pnl:
    """Read what the account has won."""
    return Pnl(*(None if figure == _UNSET else figure for figure in (daily, unrealized, realized)))
