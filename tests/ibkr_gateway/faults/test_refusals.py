"""Requests that are answered with an error: what the client sees, that the fault counts it, and that it heals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.ibkr_gateway.faults.desk import Desk, aapl, bars
from tests.ibkr_gateway.stub import ib_insync

Act = Callable[[Any], Any]


def qualify(client: Any) -> Any:
    """Ask for a contract."""
    return client.qualifyContracts(aapl())


def snapshot(client: Any) -> Any:
    """Ask for the ticks of the moment, without waiting for them."""
    ticker = client.reqMktData(aapl(), snapshot=True)
    client.reqCurrentTime()
    return [ticker.bid] if ticker.bid == ticker.bid else []


@pytest.mark.parametrize(
    ("name", "act", "code", "text"),
    [
        ("history-pacing", bars, 162, "pacing violation"),
        ("history-no-data", bars, 162, "HMDS query returned no data: AAPL@SMART Trades"),
        ("no-security-definition", qualify, 200, "No security definition has been found"),
        ("no-security-definition", bars, 200, "No security definition has been found"),
        ("no-security-definition", snapshot, 200, "No security definition has been found"),
        ("no-market-data-subscription", snapshot, 354, "is not subscribed"),
        ("no-market-data-subscription", bars, 354, "is not subscribed"),
        ("competing-session", snapshot, 10197, "No market data during competing live session"),
    ],
)
def test_refused_request_is_told_and_counted_and_heals(desk: Desk, name: str, act: Act, code: int, text: str) -> None:
    """The client gets the real gateway's error and no data; once it is lifted, the data."""
    client = desk.watched()
    fault = desk.order(name)
    assert not act(client)
    assert code in desk.codes
    assert any(text in told for _, told_code, told in desk.told if told_code == code)
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert act(client)
    assert desk.hits(fault) == 1


def test_strict_client_gets_an_exception(desk: Desk) -> None:
    """With RaiseRequestErrors, an empty answer cannot be mistaken for an empty market."""
    client = desk.connect()
    client.RaiseRequestErrors = True
    fault = desk.order("history-no-data")
    with pytest.raises(ib_insync().wrapper.RequestError, match="no data"):
        bars(client)
    assert desk.hits(fault) == 1
