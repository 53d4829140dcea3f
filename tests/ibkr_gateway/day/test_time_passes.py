"""A drill that begins at a time of its own, and time that passes in it as a fault does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ibkr_gateway.day.exchange import MORNING, Exchange, completed, executions
from tests.ibkr_gateway.stub import Stub, end, ib_insync, notice_loss, start

Connect = Callable[..., Any]


def begin(stub: Stub, **body: Any) -> httpx.Response:
    """Reset a gateway to a beginning."""
    return stub.control.post("/reset", json=body)


def clock(stub: Stub) -> dict[str, Any]:
    """Return what its clock says."""
    state: dict[str, Any] = stub.control.get("/clock").json()
    return state


def fault(stub: Stub, **order: Any) -> int:
    """Order time to pass, and return the number of that fault."""
    answer = stub.control.post("/faults", json={"name": "time-passes", **order})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return int(answer.json()["id"])


def test_drill_begins_where_it_is_told(exchange: Exchange) -> None:
    """Earlier than the clock was, with the exchange's hours unless told otherwise; the next reset begins as started."""
    stub = exchange.stub
    exchange.move("close")
    begin(stub, clock="2026-11-20T08:15").raise_for_status()
    state = clock(stub)
    assert (state["new_york"][:16], state["hours"], state["today"]) == ("2026-11-20T08:15", "exchange", "2026-11-20")
    begin(stub, clock="2026-11-24T10:00", hours="always-open").raise_for_status()
    state = clock(stub)
    assert (state["new_york"][:16], state["hours"]) == ("2026-11-24T10:00", "always-open")
    begin(stub).raise_for_status()
    assert clock(stub)["new_york"].startswith(MORNING)


def test_time_of_day_alone_is_that_of_a_trading_day(exchange: Exchange) -> None:
    """The exchange is about to open, on any day on which this runs."""
    begin(exchange.stub, clock="09:29").raise_for_status()
    state = clock(exchange.stub)
    assert (state["phase"], state["new_york"][11:16]) == ("pre-market", "09:29")
    assert abs((datetime.fromisoformat(state["new_york"]) - datetime.now()).days) <= 5  # noqa: DTZ005 - days matter


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"clock": "2026-11-23"}, "such as 09:00 or 2026-11-23T09:00"),
        ({"clock": "noon"}, "expected a date and a time in New York"),
        ({"clock": "09:00Z"}, "expected a date and a time in New York"),
        ({"clock": "2190-01-01T09:00"}, "expected a clock from"),
        ({"hours": "sometimes"}, "hours"),
        ({"speed": 2}, "speed"),
    ],
    ids=str,
)
def test_beginning_that_makes_no_sense_resets_nothing(exchange: Exchange, body: dict[str, Any], said: str) -> None:
    """It is refused with one line, and the orders are still there."""
    client = exchange.client()
    exchange.place(client, ib_insync().MarketOrder("BUY", 10), "PreSubmitted", "kept")
    answer = begin(exchange.stub, **body)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert exchange.status("kept") == "PreSubmitted"


def test_night_passes_in_seconds(exchange: Exchange) -> None:
    """An order held at nine fills at the open, and is listed no more after midnight; each is a hit on that order."""
    client = exchange.client()
    trade = exchange.place(client, ib_insync().MarketOrder("BUY", 10), "PreSubmitted", "early")
    opening = fault(exchange.stub, parameters={"to": "open"})
    exchange.let(client, lambda: trade.orderStatus.status == "Filled", "filled at the open")
    assert executions(client) == ["early"]
    night = fault(exchange.stub, parameters={"to": "midnight"})
    assert (executions(client), completed(client)) == ([], [])
    assert [exchange.stub.control.get(f"/faults/{each}").json()["hits"] for each in (opening, night)] == [1, 1]


def test_time_that_changes_no_order_hits_nothing(exchange: Exchange) -> None:
    """A drill whose night touched nothing has proven nothing."""
    number = fault(exchange.stub, parameters={"to": "close"})
    assert exchange.stub.control.get(f"/faults/{number}").json()["hits"] == 0
    assert clock(exchange.stub)["new_york"].startswith("2026-11-23T16:00")


def test_time_passes_with_a_request(exchange: Exchange) -> None:
    """The open comes before the second order is answered: the first was held, the second is not."""
    client = exchange.client()
    first = exchange.place(client, ib_insync().MarketOrder("BUY", 10), "PreSubmitted", "first")
    fault(exchange.stub, parameters={"to": "open"}, on={"request": "placeOrder", "nth": 1})
    exchange.place(client, ib_insync().MarketOrder("BUY", 10), "Filled", "second")
    exchange.let(client, lambda: first.orderStatus.status == "Filled", "filled at the open")
    assert exchange.codes.count(399) == 1


@pytest.mark.parametrize("parameters", [{"to": "noon"}, {"advance_s": 0}], ids=str)
def test_passage_that_makes_no_sense_is_refused(exchange: Exchange, parameters: dict[str, Any]) -> None:
    """One line says what was expected."""
    answer = exchange.stub.control.post("/faults", json={"name": "time-passes", "parameters": parameters})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "\n" not in answer.json()["error"]


def test_beginning_outlives_a_kill(connect: Connect, new_ledger: Path, loop: Any) -> None:
    """A gateway at the real time that was reset to a morning is there again after a kill, with the exchange's hours."""
    stub = start(new_ledger)
    begin(stub, clock=MORNING).raise_for_status()
    exchange = Exchange(stub, loop, connect)
    client = exchange.client()
    exchange.place(client, ib_insync().MarketOrder("BUY", 10), "PreSubmitted", "held")
    stub.process.kill()
    stub.process.wait()
    end(stub)
    notice_loss(client, loop)
    again = start(new_ledger)
    try:
        state = clock(again)
        assert (state["new_york"][:10], state["hours"], state["phase"]) == ("2026-11-23", "exchange", "pre-market")
        assert [order["status"] for order in again.orders()] == ["PreSubmitted"]
    finally:
        end(again)
