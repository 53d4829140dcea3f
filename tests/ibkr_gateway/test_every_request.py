"""Every request of the API comes to an end in a real client, served or with the refusal of the real gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until

Connect = Callable[..., Any]
ENDS_S = 2.0
# Calls that carry no id, so that the client can only wait: as long as it does for itself, with every gateway.
WAITS_S = {"requestFAAsync": 5.0}


@pytest.fixture
def client(connect: Connect) -> Any:
    """A connected client."""
    return connect()


def aapl() -> Any:
    """Describe a stock."""
    return ib_insync().Stock("AAPL", "SMART", "USD")


def call() -> Any:
    """Describe an option on it."""
    return ib_insync().Option("AAPL", "20270115", 150, "C", "SMART")


def _asked() -> dict[str, tuple[Any, ...]]:
    """Return the arguments for every call of the client that waits for an answer."""
    scan = ib_insync().ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
    event = ib_insync().WshEventData(conId=265598)
    return {
        "reqTickersAsync": (aapl(), call()),
        "whatIfOrderAsync": (aapl(), ib_insync().MarketOrder("BUY", 1)),
        "reqCurrentTimeAsync": (),
        "reqAccountUpdatesAsync": ("",),
        "reqAccountUpdatesMultiAsync": ("",),
        "reqAccountSummaryAsync": (),
        "reqOpenOrdersAsync": (),
        "reqAllOpenOrdersAsync": (),
        "reqCompletedOrdersAsync": (False,),
        "reqExecutionsAsync": (),
        "reqPositionsAsync": (),
        "reqContractDetailsAsync": (aapl(),),
        "reqMatchingSymbolsAsync": ("AAP",),
        "reqMarketRuleAsync": (26,),
        "reqHistoricalDataAsync": (aapl(), "", "5 D", "1 hour", "TRADES", True),
        "reqHistoricalScheduleAsync": (aapl(), 5),
        "reqHistoricalTicksAsync": (aapl(), "20261119-15:00:00", "", 10, "TRADES", True),
        "reqHeadTimeStampAsync": (aapl(), "TRADES", True, 1),
        "reqSmartComponentsAsync": ("9c0001",),
        "reqMktDepthExchangesAsync": (),
        "reqHistogramDataAsync": (aapl(), True, "3 days"),
        "reqFundamentalDataAsync": (aapl(), "ReportSnapshot"),
        "reqScannerDataAsync": (scan,),
        "reqScannerParametersAsync": (),
        "calculateImpliedVolatilityAsync": (call(), 290.0, 430.0),
        "calculateOptionPriceAsync": (call(), 0.3, 430.0),
        "reqSecDefOptParamsAsync": ("AAPL", "", "STK", 265598),
        "reqNewsProvidersAsync": (),
        "reqNewsArticleAsync": ("BRFG", "BRFG$1"),
        "reqHistoricalNewsAsync": (265598, "BRFG", "", "", 10),
        "requestFAAsync": (1,),
        "getWshMetaDataAsync": (),
        "getWshEventDataAsync": (event,),
        "reqUserInfoAsync": (),
    }


def test_every_call_of_the_client_ends_in_time(client: Any, loop: asyncio.AbstractEventLoop) -> None:
    """All that the client has, so that a new one has to be added here."""
    library = type(client)
    asked = _asked()
    known = {
        name for name in dir(library) if name.endswith("Async") and name.startswith(("req", "get", "calc", "what"))
    }
    assert known <= set(asked)
    late = []
    for name, arguments in asked.items():
        began = time.monotonic()
        loop.run_until_complete(asyncio.wait_for(getattr(client, name)(*arguments), 10))
        if time.monotonic() - began > WAITS_S.get(name, ENDS_S):
            late.append(name)
    assert late == []


def errors_of(client: Any) -> list[tuple[int, str]]:
    """Return the errors that a client is told from now on, a list that grows; what is no error is left out."""
    told: list[tuple[int, str]] = []
    client.errorEvent += lambda _id, code, text, *_: told.append((code, text))
    return told


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("reqHistoricalNewsAsync", (265598, "BRFG", "", "", 10), 10276),
        ("reqNewsArticleAsync", ("BRFG", "BRFG$1"), 10172),
        ("getWshMetaDataAsync", (), 10276),
        ("requestFAAsync", (1,), 321),
        ("reqMarketRuleAsync", (4711,), 321),
        ("reqSecDefOptParamsAsync", ("AAPL", "", "STK", 12), 200),
    ],
)
def test_what_the_account_has_not_is_refused_with_its_code(
    client: Any, loop: asyncio.AbstractEventLoop, name: str, arguments: tuple[Any, ...], code: int
) -> None:
    """As the real gateway refuses an account without subscriptions that is no advisor's."""
    told = errors_of(client)
    loop.run_until_complete(asyncio.wait_for(getattr(client, name)(*arguments), 10))
    assert [first for first, _ in told] == [code]


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({"endDateTime": "20261118 12:00:00 Mars/Olympus"}, 10314, "End Date/Time: The date, time, or time-zone"),
        (
            {"whatToShow": "ADJUSTED_LAST", "endDateTime": "20261118-12:00:00"},
            321,
            "End date not supported with adjusted",
        ),
        ({"whatToShow": "ADJUSTED_LAST", "barSizeSetting": "1 week"}, 321, "Multi day bar size not supported"),
        ({"whatToShow": "SCHEDULE", "barSizeSetting": "1 hour"}, 321, "Only daily resolution supported"),
        ({"keepUpToDate": True, "endDateTime": "20261118-12:00:00"}, 321, "End date not supported with live updates"),
        ({"keepUpToDate": True, "whatToShow": "BID_ASK"}, 321, "Source price not supported with live updates"),
        ({"durationStr": "90000 S"}, 321, "greater than 86400 seconds"),
        ({"durationStr": "53 W"}, 321, "longer than 52 weeks must be made in years"),
        ({"barSizeSetting": "1 secs"}, 162, "invalid step: 1"),
        ({"whatToShow": "FEE_RATE"}, 162, "HMDS query returned no data: AAPL@SMART"),
    ],
)
def test_history_is_refused_as_the_real_gateway_refuses_it(
    client: Any, changed: dict[str, Any], code: int, text: str
) -> None:
    """Each rule with its code and words, and the call ends."""
    usual = {"endDateTime": "", "durationStr": "5 D", "barSizeSetting": "1 day", "whatToShow": "TRADES", "useRTH": True}
    told = errors_of(client)
    bars = client.reqHistoricalData(aapl(), **{**usual, **changed}, timeout=5)
    assert list(bars) == []
    ((came, words),) = told
    assert (came, text in words) == (code, True), words


@pytest.mark.parametrize(
    ("contract", "arguments", "code"),
    [
        (("Forex", "EURUSD"), ("", "5 D", "1 day", "TRADES", True), 162),
        (("Crypto", "BTC", "PAXOS", "USD"), ("", "5 D", "1 day", "TRADES", True), 10299),
        (("Index", "SPX", "CBOE"), ("", "5 D", "1 day", "BID", True), 162),
        (("ContFuture", "ES", "CME"), ("20261118-12:00:00", "5 D", "1 day", "TRADES", True), 10339),
        (("Future", "ES", "", "CME"), ("", "5 D", "1 day", "TRADES", True), 200),
    ],
)
def test_what_a_contract_has_no_bars_of_is_refused(
    client: Any, contract: tuple[Any, ...], arguments: tuple[Any, ...], code: int
) -> None:
    """Currencies have no trades, coins theirs under another name, indices no quotes, and months must be told."""
    kind, *terms = contract
    told = errors_of(client)
    assert list(client.reqHistoricalData(getattr(ib_insync(), kind)(*terms), *arguments, timeout=5)) == []
    assert [first for first, _ in told] == [code]


def test_time_without_a_zone_is_warned_of_once(client: Any) -> None:
    """2174, a warning that ends no call, on the first such request of a connection."""
    told = errors_of(client)
    for _ in range(2):
        assert client.reqHistoricalData(aapl(), "20261118 12:00:00", "1 D", "1 hour", "TRADES", True)
    assert [code for code, _ in told] == [2174]
    assert client.reqHistoricalData(aapl(), "20261118-17:00:00", "1 D", "1 hour", "TRADES", True)


def test_cancel_of_history_is_answered(client: Any, stub: Stub) -> None:
    """162 where a request is not answered yet or goes on, 366 where there is none."""
    told = errors_of(client)
    stub.control.post("/faults", json={"name": "silent", "parameters": {"requests": ["reqHistoricalData"]}})
    assert list(client.reqHistoricalData(aapl(), "", "5 D", "1 day", "TRADES", True, timeout=0.2)) == []
    stub.control.delete("/faults")
    receive_until(client, lambda: told, "the cancel is answered")
    live = client.reqHistoricalData(aapl(), "", "5 D", "1 day", "TRADES", True, keepUpToDate=True)
    client.cancelHistoricalData(live)
    client.client.cancelHistoricalData(4711)
    receive_until(client, lambda: len(told) == 3, "both cancels are answered", evidence=lambda: told)
    assert [code for code, _ in told] == [162, 162, 366]
    assert "API historical data query cancelled" in told[0][1]
    assert told[2][1] == "No historical data query found for ticker id:4711"


@pytest.mark.parametrize("ticks", ["104", "233,4711", "abc"])
def test_illegal_generic_ticks_are_refused(client: Any, ticks: str) -> None:
    """321 with the list of the legal ones, as for a stock."""
    told = errors_of(client)
    client.client.reqMktData(77, aapl(), ticks, False, False, [])
    client.client.reqMktData(78, aapl(), "233,106", False, False, [])
    client.client.reqMktData(79, aapl(), "233", True, False, [])
    client.reqCurrentTime()
    assert [code for code, _ in told] == [321, 321]
    assert f"Incorrect generic tick list of {ticks}.  Legal ones for (STK) are: 100(Option Volume)" in told[0][1]
    assert "not applicable to generic ticks" in told[1][1]


def test_request_id_that_is_in_use_is_refused(client: Any) -> None:
    """322 for a quote, live bars, a book and profit and loss; 310 and 300 for a cancel of what there is not."""
    told = errors_of(client)
    for _ in range(2):
        client.client.reqMktData(77, aapl(), "", False, False, [])
        client.client.reqHistoricalData(77, aapl(), "", "1 D", "1 day", "TRADES", True, 1, True, [])
        client.client.reqMktDepth(77, aapl(), 2, True, [])
        client.client.reqPnL(77, "", "")
    client.client.cancelMktDepth(78, True)
    client.client.cancelPnL(78)
    client.client.cancelRealTimeBars(78)
    client.client.cancelTickByTickData(78)
    client.reqCurrentTime()
    assert [code for code, _ in told] == [322, 322, 322, 322, 310, 300, 300, 300]
    assert "Duplicate ticker ID for API historical data query" in told[1][1]


@pytest.mark.parametrize("kind", ["Forex", "Future", "Option", "Index", "Crypto"])
def test_other_contracts_are_qualified_quoted_and_have_bars(client: Any, kind: str) -> None:
    """As the reference clients describe them; their quotes lie around the last bar."""
    library = ib_insync()
    contract, what = {
        "Forex": (library.Forex("EURUSD"), "MIDPOINT"),
        "Future": (library.Future("ES", "20261218", "CME"), "TRADES"),
        "Option": (call(), "TRADES"),
        "Index": (library.Index("SPX", "CBOE"), "TRADES"),
        "Crypto": (library.Crypto("BTC", "PAXOS", "USD"), "AGGTRADES"),
    }[kind]
    assert client.qualifyContracts(contract) == [contract]
    assert contract.conId > 0
    (details,) = client.reqContractDetails(contract)
    assert details.minTick > 0
    daily = client.reqHistoricalData(contract, "", "5 D", "1 day", what, True)
    hourly = client.reqHistoricalData(contract, "", "1 D", "1 hour", what, True)
    assert (len(daily), max(bar.high for bar in hourly), hourly[-1].close) == (5, daily[-1].high, daily[-1].close)
    (ticker,) = client.reqTickers(contract)
    if kind == "Index":
        assert (ticker.last, ticker.bid) == (daily[-1].close, pytest.approx(float("nan"), nan_ok=True))
    else:
        assert ticker.bid < daily[-1].close < ticker.ask
    if kind == "Option":
        assert ticker.modelGreeks.delta == pytest.approx(1, abs=0.1)
        assert ticker.modelGreeks.undPrice == pytest.approx(430.47)


@pytest.mark.parametrize("kind", ["Forex", "Future", "ContFuture", "Option", "Index", "Crypto"])
def test_order_for_anything_but_a_stock_is_refused(client: Any, stub: Stub, kind: str) -> None:
    """201 under the order's id: the account may not trade it, and nothing of it is kept."""
    library, told = ib_insync(), errors_of(client)
    contract = {
        "Forex": library.Forex("EURUSD"),
        "Future": library.Future("ES", "20261218", "CME", currency="USD"),
        "ContFuture": library.ContFuture("ES", "CME", currency="USD"),
        "Option": library.Option("AAPL", "20270115", 150, "C", "SMART", currency="USD"),
        "Index": library.Index("SPX", "CBOE", "USD"),
        "Crypto": library.Crypto("BTC", "PAXOS", "USD"),
    }[kind]
    trade = client.placeOrder(contract, library.MarketOrder("BUY", 1))
    receive_until(client, trade.isDone, "refused", evidence=lambda: told)
    assert [code for code, _ in told] == [201]
    assert stub.orders() == []


def test_account_is_told_in_base_too(client: Any) -> None:
    """What is kept for each currency, in dollars and in BASE, which is the dollar."""
    rows = {(value.tag, value.currency): value.value for value in client.accountSummary()}
    assert rows["CashBalance", "BASE"] == rows["CashBalance", "USD"] == "1000000.00"
    assert ("NetLiquidation", "BASE") not in rows
