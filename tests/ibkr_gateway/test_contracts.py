"""Which contracts there are, how they are found, and what options are worth."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.market.black_scholes import RATE, Terms, implied_volatility, value
from fixtures.ibkr_gateway.market.instruments import REAL, ContractQuery, Instruments
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.options import expiries, strikes
from fixtures.ibkr_gateway.market.security_numbers import isin_of, symbol_of, with_check_digit
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

DAYS = load_trading_days()
MARKET = Market(date(2026, 11, 20), DAYS, {}, seed=1)


def query(security_type: str, symbol: str, exchange: str = "", **more: object) -> ContractQuery:
    """Describe a contract as a client does."""
    return ContractQuery(0, symbol, security_type, exchange, "", "", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "local_symbol"),
    [
        (query("CASH", "EUR", "IDEALPRO"), None),  # against the dollar, the pound and the yen
        (query("CASH", "", local_symbol="EUR.USD"), "EUR.USD"),
        (query("FUT", "ES", "CME", expiry="20261218"), "ESZ6"),
        (query("FUT", "ES", "CME", expiry="202703"), "ESH7"),
        (query("FUT", "", "CME", local_symbol="ESZ6"), "ESZ6"),
        (query("FUT", "CL", "NYMEX", expiry="202612"), "CLZ6"),
        (query("CONTFUT", "ES", "CME"), "ESZ6"),
        (query("OPT", "AAPL", "SMART", expiry="20270115", strike=Decimal(150), right="CALL"), "AAPL  270115C00150000"),
        (query("OPT", "", local_symbol="AAPL  270115P00150000"), "AAPL  270115P00150000"),
        (query("IND", "SPX", "CBOE"), "SPX"),
        (query("CRYPTO", "BTC", "PAXOS"), "BTC.USD"),
        (query("STK", "", local_symbol="MSFT"), "MSFT"),
        (query("STK", "", id_type="ISIN", id_value="US5949181045"), "MSFT"),
        (query("STK", "", id_type="CUSIP", id_value="594918104"), "MSFT"),
    ],
)
def test_contract_is_found_by_what_clients_say(asked: ContractQuery, local_symbol: str | None) -> None:
    """By symbol and month, by local symbol, by the numbers of a stock; one that fits several is none alone."""
    found = MARKET.instruments.find(asked)
    assert (found and found.local_symbol) == local_symbol
    if found is not None:
        assert MARKET.instruments.find(ContractQuery(found.con_id, "", "", "", "", "")) == found


@pytest.mark.parametrize(
    "asked",
    [
        query("STK", "NOSUCH"),  # six letters: no American stock has as many
        query("STK", "XXXX"),
        query("STK", "", id_type="ISIN", id_value="US5949181046"),  # the check digit is wrong
        query("STK", "", id_type="FIGI", id_value="BBG000BPH459"),
        query("STK", "AAPL", "LSE"),
        query("FUT", "ES", "CME", expiry="20261217"),
        query("FUT", "ES", "NYMEX", expiry="20261218"),
        query("FUT", "ES", "CME", expiry="20250919"),  # it has ended
        query("OPT", "AAPL", "SMART", expiry="20270116", strike=Decimal(150), right="C"),
        query("OPT", "AAPL", "SMART", expiry="20270115", strike=Decimal("150.37"), right="C"),
        query("OPT", "NOSUCH", "SMART", expiry="20270115"),
        query("CASH", "EUR", "SMART"),
        query("CASH", "XAU", "IDEALPRO"),
        query("BOND", "US912797PA95"),
        query("BAG", "AAPL"),
        query("OPT", ""),
    ],
)
def test_what_there_is_not_is_not_found(asked: ContractQuery) -> None:
    """Neither a stock that cannot be, nor a month, strike or exchange that is not listed."""
    assert MARKET.instruments.find_all(asked) == ()


def test_universe_says_which_stocks_exist() -> None:
    """With one, every other symbol is unknown, the real ones too."""
    known = Instruments(universe=frozenset({"IBM", "ZQX"}))
    assert [symbol for symbol in ("IBM", "ZQX", "AAPL", "ZQY") if known.named(symbol)] == ["IBM", "ZQX"]


def test_description_without_a_month_fits_every_month() -> None:
    """As the real gateway answers a request for details; five quarters are listed."""
    found = MARKET.instruments.find_all(query("FUT", "ES", "CME"))
    assert [each.local_symbol for each in found] == ["ESZ6", "ESH7", "ESM7", "ESU7", "ESZ7"]
    chain = MARKET.instruments.find_all(query("OPT", "AAPL", expiry="20270115"))
    assert len(chain) == 2 * len({each.strike for each in chain}) > 100
    assert len({each.con_id for each in chain}) == len(chain)


def test_contract_numbers_do_not_depend_on_what_was_asked_before() -> None:
    """A client that kept one finds the same contract at a gateway that was started again."""
    asked = query("FUT", "ES", "CME", expiry="20261218")
    again = Market(date(2026, 11, 20), DAYS, {}, seed=1)
    again.instruments.find_all(query("OPT", "MSFT"))
    first, second = MARKET.instruments.find(asked), again.instruments.find(asked)
    assert first == second is not None


@given(symbol=st.from_regex(r"[A-Z]{1,5}( [A-Z]{1,2})?", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_isin_leads_back_to_its_stock(symbol: str) -> None:
    """Also for a stock that was never named; one wrong digit leads nowhere."""
    number = isin_of(symbol)
    if number:
        assert symbol_of("ISIN", number) == symbol
        assert symbol_of("ISIN", f"{number[:-1]}{(int(number[-1]) + 1) % 10}") == ""


@pytest.mark.parametrize("symbol", [known.symbol for known in REAL])
def test_real_isins_have_their_check_digit(symbol: str) -> None:
    """The rule of ISO 6166 holds for the numbers in the table."""
    assert with_check_digit(isin_of(symbol)[:-1]) == isin_of(symbol)


def test_options_end_on_trading_fridays_and_have_even_strikes() -> None:
    """Good Friday is no trading day, so that what would end on it ends on the Thursday."""
    assert date(2027, 1, 15) in expiries(date(2026, 11, 20), DAYS)
    assert expiries(date(2026, 11, 20), DAYS)[:3] == [date(2026, 11, 20), date(2026, 11, 27), date(2026, 12, 4)]
    assert date(2027, 3, 25) in expiries(date(2027, 3, 1), DAYS)
    assert all(day.weekday() in {3, 4} and DAYS.trades_on(day) for day in expiries(date(2027, 3, 1), DAYS))
    assert strikes(Decimal("430.47"))[:2] == [Decimal(85), Decimal(90)]


_TERMS = st.builds(
    Terms,
    is_call=st.booleans(),
    spot=st.floats(10, 500),
    strike=st.floats(10, 500),
    years=st.floats(0.02, 2),
)


@given(terms=_TERMS, volatility=st.floats(0.05, 1))
@settings(max_examples=100, deadline=None)
def test_options_are_worth_what_the_formula_says(terms: Terms, volatility: float) -> None:
    """Put-call parity, the derivatives against small differences, and the volatility back from the price."""
    call = Terms(True, terms.spot, terms.strike, terms.years)
    put = Terms(False, terms.spot, terms.strike, terms.years)
    forward = terms.spot - terms.strike * math.exp(-RATE * terms.years)
    assert value(call, volatility).price - value(put, volatility).price == pytest.approx(forward, abs=1e-6)
    at, step = value(terms, volatility), terms.spot * 1e-4
    up = value(Terms(terms.is_call, terms.spot + step, terms.strike, terms.years), volatility)
    down = value(Terms(terms.is_call, terms.spot - step, terms.strike, terms.years), volatility)
    assert at.delta == pytest.approx((up.price - down.price) / step / 2, rel=1e-2, abs=1e-3)
    assert at.gamma == pytest.approx((up.delta - down.delta) / step / 2, rel=1e-2, abs=1e-3)
    assert at.vega == pytest.approx((value(terms, volatility + 1e-4).price - at.price) * 100, rel=1e-2, abs=1e-2)
    if at.vega > 0.01:
        assert implied_volatility(terms, at.price) == pytest.approx(volatility, abs=1e-4)


def test_price_that_no_volatility_gives_implies_none() -> None:
    """Less than what the option is worth at once, or more than the share."""
    terms = Terms(True, 430.0, 150.0, 0.15)
    assert implied_volatility(terms, 270.0) is None
    assert implied_volatility(terms, 431.0) is None


def test_option_follows_its_underlying() -> None:
    """When the share moves, so does the call, up to its delta."""
    market = Market(date(2026, 11, 20), DAYS, {}, seed=1)
    call = market.instruments.find(
        query("OPT", "ZQX", expiry="20270115", strike=strikes(market.daily("ZQX")[-1].close)[3], right="C")
    )
    assert call is not None
    before, spot = market.quote(call.key), market.quote("ZQX").last
    for _ in range(200):
        market.tick(moves=True)
    moved = market.quote("ZQX").last - spot
    assert moved != 0
    assert float(market.quote(call.key).last - before.last) == pytest.approx(float(moved), abs=0.02)
    assert before.bid < before.last < before.ask
