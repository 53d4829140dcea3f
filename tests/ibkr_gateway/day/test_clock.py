"""The drill's clock alone: what happens when it runs, stands and is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from fixtures.ibkr_gateway.server.clock import Clock, ClockRunsBackwards, ClockStart, read_clock

NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
_SOON_S = 5.0


@pytest.fixture
def own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs only while a test lets it."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def clock(own_loop: asyncio.AbstractEventLoop) -> Clock:
    """A clock that stands at nine in the morning in New York."""
    made = Clock(ClockStart(date(2026, 11, 23), time(9, 0)), own_loop)
    made.restart(is_running=False)
    return made


def run_until(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Let the loop run until something has happened."""
    loop.run_until_complete(asyncio.wait_for(event.wait(), _SOON_S))


def test_what_is_due_happens_in_its_order_and_at_its_time(clock: Clock) -> None:
    """Delays and times of day that lie on the way of a move, and those that these set, come one after the other."""
    came: list[tuple[str, timedelta]] = []

    def come(name: str) -> None:
        # A delay has passed for the microseconds, too, that the test itself took.
        came.append((name, timedelta(seconds=round((clock.now() - NINE).total_seconds()))))
        if name == "ten":
            clock.call_later(60, come, "a minute after ten")

    clock.call_at(NINE + timedelta(hours=1), come, "ten")
    clock.call_later(7200, come, "in two hours")
    clock.call_later(1, come, "in a second")
    clock.call_at(NINE + timedelta(days=1), come, "tomorrow")
    clock.move_to(NINE + timedelta(hours=12))
    assert came == [
        ("in a second", timedelta(seconds=1)),
        ("ten", timedelta(hours=1)),
        ("a minute after ten", timedelta(hours=1, minutes=1)),
        ("in two hours", timedelta(hours=2)),
    ]
    assert clock.now() == NINE + timedelta(hours=12)


def test_year_is_skipped_at_once(clock: Clock) -> None:
    """A timer that sets itself again every hour runs 8,760 times, none of them late."""
    times: list[datetime] = []

    def again() -> None:
        times.append(clock.now())
        clock.call_at(clock.now() + timedelta(hours=1), again)

    clock.call_at(NINE + timedelta(hours=1), again)
    clock.move_to(NINE + timedelta(days=365))
    assert times == [NINE + timedelta(hours=n) for n in range(1, 8761)]


def test_time_never_runs_backwards(clock: Clock) -> None:
    """An earlier time is refused in a line, and changes nothing."""
    with pytest.raises(
        ClockRunsBackwards, match="after 2026-11-23 09:00:00 in New York, which is now, came 2026-11-20"
    ):
        clock.move_to(NINE - timedelta(days=3))
    assert clock.now() == NINE


def test_clock_that_stands_lets_delays_pass_and_no_time_of_day(
    clock: Clock, own_loop: asyncio.AbstractEventLoop
) -> None:
    """An order fills on it after its delay; the market does not open."""
    filled, opened = asyncio.Event(), asyncio.Event()
    clock.call_at(NINE + timedelta(milliseconds=1), opened.set)
    clock.call_later(0.02, filled.set)
    run_until(own_loop, filled)
    assert (clock.now(), opened.is_set()) == (NINE, False)
    clock.run(is_running=True)
    run_until(own_loop, opened)
    assert clock.now() > NINE


def test_running_clock_keeps_both_in_order(clock: Clock, own_loop: asyncio.AbstractEventLoop) -> None:
    """At real speed a delay and a time of day are the same thing."""
    came: list[int] = []
    done = asyncio.Event()
    clock.run(is_running=True)
    now = clock.now()
    clock.call_later(0.03, came.append, 3)
    clock.call_at(now + timedelta(seconds=0.02), came.append, 2)
    clock.call_later(0.01, came.append, 1)
    clock.call_at(now + timedelta(seconds=0.04), done.set)
    run_until(own_loop, done)
    assert came == [1, 2, 3]


def test_cancelled_timer_does_not_come(clock: Clock) -> None:
    """Neither of both kinds."""
    came: list[str] = []
    for timer in (clock.call_later(1, came.append, "delay"), clock.call_at(NINE, came.append, "time of day")):
        timer.cancel()
    clock.move_to(NINE + timedelta(hours=1))
    assert came == []


def test_timer_that_fails_costs_only_itself(clock: Clock, own_loop: asyncio.AbstractEventLoop) -> None:
    """What is due after it happens all the same, and the loop is told."""
    came: list[str] = []
    told: list[object] = []
    own_loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    clock.call_later(1, int, "no number")
    clock.call_later(2, came.append, "next")
    clock.move_to(NINE + timedelta(minutes=1))
    assert came == ["next"]
    assert [type(error) for error in told] == [ValueError]


@pytest.mark.parametrize("text", ["soon", "2026-11-23T09:00Z", "2026-11-23T25:00", "09:00", ""])
def test_time_that_cannot_be_read_is_refused(text: str) -> None:
    """The line says what was expected."""
    with pytest.raises(ValueError, match="expected a date and a time in New York such as 2026-11-23T09:00"):
        read_clock(text)
