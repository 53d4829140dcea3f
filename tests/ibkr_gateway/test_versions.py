"""The same trade at every server version: text up to 200, protobuf from 201 on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from fixtures.ibkr_gateway.protocol.nodes import NEWEST_VERSION, OLDEST_VERSION
from fixtures.ibkr_gateway.protocol.wire import Value
from tests.ibkr_gateway.speaker import named, speaking
from tests.ibkr_gateway.stub import CLOCK, Stub

STOCK: Mapping[str, Value] = {
    "symbol": "AAPL",
    "secType": "STK",
    "exchange": "SMART",
    "currency": "USD",
    "strike": Decimal(0),
}
ORDER: Mapping[str, Value] = {
    **STOCK,
    "orderId": 1,
    "action": "BUY",
    "totalQuantity": Decimal(3),
    "orderType": "LMT",
    "lmtPrice": Decimal("500.25"),
    "tif": "DAY",
    "transmit": True,
}


@pytest.mark.parametrize("version", range(OLDEST_VERSION, NEWEST_VERSION + 1))
def test_trade_goes_the_same_way_at_every_version(stub: Stub, version: int) -> None:
    """Details, bars, an order to its fill, executions: each client gets them in the form of its version."""
    stub.fill_after(0)
    with speaking(stub.port, version) as client:
        assert named(client.until("nextValidId"), "managedAccounts")[0]["accounts"]
        client.ask("reqContractDetails", reqId=1, **STOCK)
        (details,) = named(client.until("contractDetailsEnd"), "contractDetails")
        assert (details["reqId"], details["minTick"], details["longName"]) == (1, Decimal("0.01"), "APPLE INC")
        asked: Mapping[str, Value] = {"barSize": "1 day", "duration": "5 D", "whatToShow": "TRADES", "useRTH": True}
        client.ask("reqHistoricalData", reqId=2, formatDate=1, **STOCK, **asked)
        came = client.until("historicalDataEnd" if version >= 196 else "historicalData")
        (bars,) = named(came, "historicalData")
        assert isinstance(bars["bars"], tuple)
        assert [row["date"] for row in bars["bars"]][-1] == CLOCK.replace("-", "")
        assert "America/New_York" in str(came[-1].values["end"])
        client.ask("placeOrder", **ORDER)
        came = client.until("commissionReport")
        assert [order["lmtPrice"] for order in named(came, "openOrder")] == [Decimal("500.25")] * 3
        assert [order["status"] for order in named(came, "orderStatus")] == ["PreSubmitted", "Submitted", "Filled"]
        client.ask("reqExecutions", reqId=3, clientId=0)
        (done,) = named(client.until("execDetailsEnd"), "execDetails")
        assert (done["shares"], done["orderId"], done["side"]) == (3, 1, "BOT")


@pytest.mark.parametrize("version", [178, 194, 201, 203, 226])
def test_error_carries_the_time_from_194_on(stub: Stub, version: int) -> None:
    """An error says when it happened, in milliseconds of the drill's time, where the version has a field for it."""
    with speaking(stub.port, version) as client:
        (notice, *_) = named(client.until("error"), "error")
        assert (notice["reqId"], notice["code"]) == (-1, 2104)
        assert str(notice.get("time_ms", "none")).startswith("none" if version < 194 else "1795")
