"""What was bought and sold, as the gateway's executions tell it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from trading.workflow.decimals import exact
from trading.workflow.gateway import Gateway

_COMMISSION_S = 1.0
_POLL_S = 0.05


class Execution(BaseModel):
    """One fill.

    Args:
        side: BOT or SLD.
        shares: how many.
        price: dollars a share.
        commission: dollars; None while the gateway has not told it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exec_id: str
    order_ref: str
    perm_id: int
    symbol: str
    side: str
    shares: Decimal
    price: Decimal
    commission: Decimal | None
    executed_at: datetime


async def executions(gateway: Gateway, *, with_commissions: bool = False) -> tuple[Execution, ...]:
    """Ask for the account's executions of today, each once.

    Args:
        gateway: connected.
        with_commissions: whether to wait a moment for the reports of what they cost, which come on their own.

    Raises:
        GatewayLost: the connection ended.
        GatewaySilent: no answer in time.
    """
    fills: list[Any] = await gateway.ask("executions", gateway.ib.reqExecutionsAsync)
    ends_s = time.monotonic() + (_COMMISSION_S if with_commissions else 0)
    while time.monotonic() < ends_s and any(not fill.commissionReport.execId for fill in fills):  # noqa: ASYNC110 - no event comes for an earlier session's fill
        await asyncio.sleep(_POLL_S)
    return tuple({execution.exec_id: execution for execution in map(_execution, fills)}.values())


def _execution(fill: Any) -> Execution:
    told = fill.execution
    report = fill.commissionReport
    at = told.time if told.time.tzinfo else told.time.replace(tzinfo=UTC)
    return Execution(
        exec_id=told.execId,
        order_ref=told.orderRef,
        perm_id=told.permId,
        symbol=fill.contract.symbol,
        side=told.side,
        shares=exact(told.shares),
        price=exact(told.price),
        # The library starts with a report of 0.0: it counts only when it names its execution.
        commission=exact(report.commission) if report.execId else None,
        executed_at=at,
    )


def average_price(fills: tuple[Execution, ...]) -> Decimal | None:
    """The mean price of some fills, weighted by shares, in dollars a share."""
    shares = sum((fill.shares for fill in fills), Decimal(0))
    if not shares:
        return None
    value = sum((fill.shares * fill.price for fill in fills), Decimal(0))
    return (value / shares).quantize(Decimal("0.00000001")).normalize()
