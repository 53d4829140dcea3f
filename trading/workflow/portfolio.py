"""What the account holds and is worth."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from trading.workflow.decimals import exact
from trading.workflow.gateway import Gateway

_SUMMARY_TAGS = (
    "NetLiquidation",
    "TotalCashValue",
    "GrossPositionValue",
    "BuyingPower",
    "AvailableFunds",
    "ExcessLiquidity",
)


class Position(BaseModel):
    """Shares that the account holds; the cost is in dollars a share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    con_id: int
    shares: Decimal
    average_cost: Decimal


class Portfolio(BaseModel):
    """An account at one moment.

    Args:
        account: its name.
        values: amounts of money by tag, as the gateway writes them, with their currency.
        positions: what it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    values: dict[str, tuple[Decimal, str]]
    positions: tuple[Position, ...]


async def portfolio(gateway: Gateway) -> Portfolio:
    """Ask for the account's positions and values.

    Raises:
        GatewayRefused: the gateway answered with an error.
        GatewayLost: the connection ended.
        GatewaySilent: no answer in time.
    """
    held = await gateway.ask("positions", gateway.ib.reqPositionsAsync)
    await gateway.ask("the account's values", gateway.ib.reqAccountSummaryAsync)
    account = gateway.account
    values = {
        value.tag: (Decimal(value.value), value.currency)
        for value in gateway.ib.wrapper.acctSummary.values()
        if value.account == account and value.tag in _SUMMARY_TAGS
    }
    positions = tuple(
        Position(
            symbol=position.contract.symbol,
            con_id=position.contract.conId,
            shares=exact(position.position),
            average_cost=exact(position.avgCost),
        )
        for position in held
        if position.account == account
    )
    return Portfolio(account=account, values=values, positions=positions)
