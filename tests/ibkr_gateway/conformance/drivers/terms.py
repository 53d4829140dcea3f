"""What tests and drivers tell each other, in terms that belong to no client library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Session:
    """What a client knows once it is connected."""

    server_version: int
    accounts: tuple[str, ...]
    next_order_id: int


@dataclass(frozen=True, slots=True)
class Fault:
    """An error or a notice of the gateway; request -1 stands for none."""

    request_id: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Contract:
    """One stock."""

    con_id: int
    symbol: str
    security_type: str
    exchange: str
    primary_exchange: str
    currency: str
    trading_class: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The trading of a day or of a week, in dollars and shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class IntradayBar:
    """The trading of less than a day, in dollars and shares; its beginning in seconds since 1970."""

    at_s: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Quote:
    """The ticks of a stock, in dollars and shares; @stoqey/ib leaves out the size of the bid (see its driver)."""

    bid: float
    ask: float
    last: float
    bid_size: float | None
    ask_size: float
    last_size: float
    open: float
    high: float
    low: float
    previous_close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order that is to be placed: MKT, LMT or STP, prices in dollars."""

    symbol: str
    action: str
    quantity: float
    order_type: str = "MKT"
    limit_price: float | None = None
    stop_price: float | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Bracket:
    """An entry with a limit, and two orders that end what it began; prices in dollars."""

    symbol: str
    action: str
    quantity: float
    limit_price: float
    take_profit_price: float
    stop_loss_price: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What orderStatus said about an order, in shares and dollars a share."""

    status: str
    filled: float
    remaining: float
    average_price: float
    perm_id: int


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill with its commission, in shares and dollars; the time in whole seconds since 1970."""

    exec_id: str
    order_id: int
    perm_id: int
    client_id: int
    account: str
    symbol: str
    side: str
    shares: float
    price: float
    cumulative: float
    average_price: float
    reference: str
    executed_at_s: int
    commission: float
    commission_currency: str
    realized_pnl: float


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order to which something may still happen."""

    order_id: int
    perm_id: int
    client_id: int
    ticket: Ticket
    status: str


@dataclass(frozen=True, slots=True)
class CompletedOrder:
    """An order that was filled or cancelled; its client's ids are not told any more."""

    perm_id: int
    ticket: Ticket
    status: str
    filled: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What an order would do to the account, in dollars."""

    status: str
    margin_before: float
    margin_change: float
    margin_after: float
    equity_after: float
    commission: float
    currency: str


@dataclass(frozen=True, slots=True)
class Position:
    """Shares held (negative: sold short) and their average cost in dollars."""

    account: str
    con_id: int
    symbol: str
    quantity: float
    average_cost: float


@dataclass(frozen=True, slots=True)
class Pnl:
    """What the account has won, in dollars; None where the gateway leaves it open."""

    daily: float | None
    unrealized: float | None
    realized: float | None


@dataclass(frozen=True, slots=True)
class SummaryValue:
    """One figure of the account, as text."""

    account: str
    tag: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions are asked for; 0 and empty mean "any"."""

    client_id: int = 0
    account: str = ""
    since: str = ""
    symbol: str = ""
    side: str = ""
