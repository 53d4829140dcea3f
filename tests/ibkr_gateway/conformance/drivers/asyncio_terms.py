"""Terms from the objects of ib_insync and ib_async, which are alike."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from .terms import Bar, Contract, Execution, IntradayBar, Pnl, Position, Quote, Ticket


def bar(told: Any) -> Bar:
    """Read a bar of a day or more."""
    return Bar(_day(told.date), told.open, told.high, told.low, told.close, told.volume)


def intraday_bar(told: Any) -> IntradayBar:
    """Read a bar of less than a day."""
    at_s = int(told.date.timestamp())
    return IntradayBar(at_s, told.open, told.high, told.low, told.close, told.volume)


def _day(day: date) -> date:
    # A datetime is a date as well, but means that the library took the text for a point in time.
    assert type(day) is date, f"expected the date of a bar, came {day!r}"
    return day


def contract(c: Any) -> Contract:
    """Read a contract."""
    return Contract(c.conId, c.symbol, c.secType, c.exchange, c.primaryExchange, c.currency, c.tradingClass)


def quote(ticker: Any) -> Quote:
    """Read a ticker."""
    sizes = (ticker.bidSize, ticker.askSize, ticker.lastSize)
    day = (ticker.open, ticker.high, ticker.low, ticker.close)
    return Quote(ticker.bid, ticker.ask, ticker.last, *sizes, *day, ticker.volume)


def ticket(trade: Any) -> Ticket:
    """Read the terms of an order."""
    order = trade.order
    return Ticket(
        symbol=trade.contract.symbol,
        action=order.action,
        quantity=order.totalQuantity,
        order_type=order.orderType,
        limit_price=order.lmtPrice if order.orderType == "LMT" else None,
        stop_price=order.auxPrice if order.orderType == "STP" else None,
        reference=order.orderRef,
    )


def execution(fill: Any, report: Any) -> Execution:
    """Read an execution with its commission."""
    done = fill.execution
    return Execution(
        exec_id=done.execId,
        order_id=done.orderId,
        perm_id=done.permId,
        client_id=done.clientId,
        account=done.acctNumber,
        symbol=fill.contract.symbol,
        side=done.side,
        shares=done.shares,
        price=done.price,
        cumulative=done.cumQty,
        average_price=done.avgPrice,
        reference=done.orderRef,
        executed_at_s=int(done.time.timestamp()),
        commission=report.commission,
        commission_currency=report.currency,
        realized_pnl=report.realizedPNL,
    )


def position(held: Any) -> Position:
    """Read a position."""
    return Position(held.account, held.contract.conId, held.contract.symbol, held.position, held.avgCost)


def pnl(told: Any) -> Pnl:
    """Read what the account has won; these libraries say NaN for what is open."""
    figures = (told.dailyPnL, told.unrealizedPnL, told.realizedPnL)
    return Pnl(*(None if math.isnan(figure) else figure for figure in figures))
