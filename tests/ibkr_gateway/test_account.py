"""Cash, positions and commissions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.broker.account import OPENING_CASH, Account, commission
from fixtures.ibkr_gateway.market.instruments import REAL

AAPL = REAL[0]
_TRADES = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool), st.decimals("1", "900", places=2)), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("shares", "price", "fee"), [(10, "430.48", "1.00"), (1000, "50", "5.00"), (1, "20", "0.20"), (100, "0.30", "0.30")]
)
def test_commission_has_a_floor_and_a_cap(shares: int, price: str, fee: str) -> None:
    """Half a cent a share, at least a dollar, at most a hundredth of the value."""
    assert commission(Decimal(shares), Decimal(price)) == Decimal(fee)


@given(trades=_TRADES, last=st.decimals("1", "900", places=2))
@settings(max_examples=60, deadline=None)
def test_account_is_worth_its_cash_flows(trades: list[tuple[int, Decimal]], last: Decimal) -> None:
    """What was realized and what is not yet add up to what the account gained."""
    account = Account()
    for shares, price in trades:
        account, _ = account.traded(AAPL, Decimal(shares), price, commission(abs(Decimal(shares)), price))
    position = account.positions[AAPL.con_id]
    assert position.quantity == sum(shares for shares, _ in trades)
    gained = account.cash + position.quantity * last - OPENING_CASH
    explained = position.realized_pnl + (last - position.average_cost) * position.quantity
    # A realized profit is rounded to the cent.
    assert abs(gained - explained) <= Decimal("0.01") * len(trades)


def test_closing_realizes_the_difference_less_commission() -> None:
    """Bought at 100 with a dollar of commission, sold at 110 with another: 98 won on ten shares."""
    account, opened = Account().traded(AAPL, Decimal(10), Decimal(100), Decimal(1))
    account, closed = account.traded(AAPL, Decimal(-10), Decimal(110), Decimal(1))
    assert (opened, closed) == (None, Decimal("98.00"))
    assert account.cash == OPENING_CASH + 98
