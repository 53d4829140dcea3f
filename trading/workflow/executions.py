"""What was bought and sold, as the gateway's executions tell it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
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
        exec_id: the gateway's; behind its last full stop stands how often the execution was corrected.
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

    @property
    def stem(self) -> str:
        """What an execution and its corrections have in common."""
        return self.exec_id.rpartition(".")[0] or self.exec_id


async def executions(gateway: Gateway, *, with_commissions: bool = False) -> tuple[Execution, ...]:
    """Ask for the account's executions of today, each once, as it was last corrected.

    Args:
        gateway: connected.
        with_commissions: whether to wait a moment for the reports of what they cost, which come on their own.

    Raises:
        GatewayLost: the connection ended.
        GatewaySilent: no answer in time.
    """
    told: list[Any] = await gateway.ask("executions", gateway.ib.reqExecutionsAsync)
    ends_s = time.monotonic() + (_COMMISSION_S if with_commissions else 0)
    while True:
        # The library adds a report to the first mention of an execution, and not to those that an answer repeats.
        reports = {fill.execution.execId: fill.commissionReport for fill in gateway.ib.fills()}
        fills = [_execution(fill, reports.get(fill.execution.execId)) for fill in told]
        if all(fill.commission is not None for fill in fills) or time.monotonic() >= ends_s:
            return as_corrected(fills)
        await asyncio.sleep(_POLL_S)


def as_corrected(fills: Iterable[Execution]) -> tuple[Execution, ...]:
    """Keep each execution once, in its last correction."""
    kept: dict[str, Execution] = {}
    for fill in fills:
        if fill.stem not in kept or fill.exec_id > kept[fill.stem].exec_id:
            kept[fill.stem] = fill
    return tuple(kept.values())


def _execution(fill: Any, report: Any) -> Execution:
    told = fill.execution
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
        commission=exact(report.commission) if report is not None and report.execId else None,
        executed_at=at,
    )
