"""The clock and the calendar on the control port."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ibkr_gateway.day.exchange import Exchange
from tests.ibkr_gateway.stub import ib_insync


def test_clock_tells_where_it_stands(exchange: Exchange) -> None:
    """The time in New York and in UTC, the part of the exchange's day, and whether its hours are kept."""
    exchange.change(running=False)
    state = exchange.stub.control.get("/clock").json()
    assert state["new_york"].startswith("2026-11-23T09:00:")
    assert state["utc"].startswith("2026-11-23T14:00:")
    told = {name: state[name] for name in ("running", "hours", "phase", "today")}
    assert told == {"running": False, "hours": "exchange", "phase": "pre-market", "today": "2026-11-23"}


def test_clock_goes_where_it_is_sent(exchange: Exchange) -> None:
    """By name and by time; each name is the next of its kind, past a holiday and a weekend, and never the present one."""
    exchange.change(running=False)
    places = ["open", "open", "close", "midnight", "next-session", "close", "close", "2026-11-28T12:34:56", "open"]
    assert [exchange.move(place)["new_york"] for place in places] == [
        "2026-11-23T09:30:00",
        "2026-11-24T09:30:00",
        "2026-11-24T16:00:00",
        "2026-11-25T00:00:00",
        "2026-11-25T04:00:00",
        "2026-11-25T16:00:00",
        "2026-11-27T13:00:00",
        "2026-11-28T12:34:56",
        "2026-11-30T09:30:00",
    ]
    assert exchange.change(advance_s=90).json()["new_york"] == "2026-11-30T09:31:30"


def test_clock_runs_on_from_where_it_was_sent_unless_it_stands(exchange: Exchange) -> None:
    """Two looks at a running clock differ, two at a standing one do not."""

    def look() -> str:
        text: str = exchange.stub.control.get("/clock").json()["utc"]
        return text

    exchange.move("open")
    assert look() < look()
    exchange.change(running=False)
    assert look() == look()


@pytest.mark.parametrize(
    ("order", "status", "said"),
    [
        ({"to": "2026-11-23T08:00"}, 409, "time never runs backwards"),
        ({"to": "2026-11-20T12:00", "hours": "always-open"}, 409, "which is now, came 2026-11-20 12:00:00 in New York"),
        ({"to": "noon"}, 422, "expected a date and a time in New York such as 2026-11-23T09:00"),
        ({"to": "2026-11-24"}, 422, "open, close, midnight"),
        ({"to": "2028-11-23T08:00"}, 422, "within a year"),
        ({"advance_s": -1}, 422, "advance_s"),
        ({"advance_s": "1"}, 422, "advance_s"),
        ({"to": "open", "advance_s": 1}, 422, "either to or advance_s"),
        ({"hours": "sometimes"}, 422, "hours"),
        ({"speed": 2}, 422, "speed"),
        ({}, 422, "expected at least one of"),
    ],
    ids=str,
)
def test_order_that_makes_no_sense_changes_nothing(
    exchange: Exchange, order: dict[str, Any], status: int, said: str
) -> None:
    """It is refused with one line that says what was expected."""
    exchange.change(running=False)
    before = exchange.stub.control.get("/clock").json()
    answer = exchange.change(**order)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert exchange.stub.control.get("/clock").json() == before


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-11-26", {"day": "2026-11-26", "trades": False}),
        (
            "2026-11-27",
            {
                "day": "2026-11-27",
                "trades": True,
                "pre_market": "2026-11-27T04:00:00",
                "opens": "2026-11-27T09:30:00",
                "closes": "2026-11-27T13:00:00",
                "late_end": "2026-11-27T17:00:00",
            },
        ),
    ],
)
def test_calendar_tells_the_hours_of_a_day(exchange: Exchange, day: str, told: dict[str, Any]) -> None:
    """A holiday and an early close."""
    assert exchange.stub.control.get(f"/calendar?day={day}").json() == told


def test_calendar_refuses_what_is_no_day(exchange: Exchange) -> None:
    """One line, with what was expected."""
    answer = exchange.stub.control.get("/calendar?day=tomorrow")
    assert (answer.status_code, answer.json()["error"][:14]) == (422, "expected ?day=")


def test_ledger_entries_carry_both_clocks(exchange: Exchange) -> None:
    """What happens while the clock is moved has the drill's time of its own; the machine's is that of the move."""
    client = exchange.client()
    exchange.place(client, ib_insync().MarketOrder("BUY", 1), "PreSubmitted", "early")
    exchange.move("2026-11-23T20:30")
    (fill,) = exchange.stub.entries("fill")
    assert fill["clock"].startswith("2026-11-23T14:30:00.1")
    (moved,) = exchange.stub.entries("clock_set")
    assert moved["clock"].startswith("2026-11-24T01:30:00")
    assert fill["at"] < moved["at"]
    assert (fill["mono_s"] < moved["mono_s"], moved["mono_s"] - fill["mono_s"] < 10) == (True, True)


def test_reset_brings_the_clock_back(exchange: Exchange) -> None:
    """The next run of a drill begins at the same time, with the same hours."""
    exchange.change(to="midnight", hours="always-open")
    exchange.stub.reset()
    state = exchange.stub.control.get("/clock").json()
    assert state["new_york"].startswith("2026-11-23T09:00")
    assert (state["hours"], state["today"], state["running"]) == ("exchange", "2026-11-23", True)
