"""When an order may fill and when it ends, for any order at any time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.ibkr_gateway.broker.good_till import BadGoodTill, read_good_till
from fixtures.ibkr_gateway.broker.order import Action, OrderType, Ticket, TimeInForce
from fixtures.ibkr_gateway.broker.trading_hours import auction_of, good_until, window
from fixtures.ibkr_gateway.market.history import NEW_YORK
from fixtures.ibkr_gateway.market.instruments import REAL
from fixtures.ibkr_gateway.market.sessions import Phase, Sessions
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

SESSIONS = Sessions(load_trading_days())
_CLOSING = {OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE}

times = st.datetimes(datetime(1991, 1, 1), datetime(2040, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001 - set by it


@st.composite
def tickets(draw: st.DrawFn) -> Ticket:
    """Any order that the gateway takes."""
    order_type = draw(st.sampled_from(OrderType))
    kept = [TimeInForce.DAY] if order_type in _CLOSING else list(TimeInForce)
    if order_type not in {OrderType.MARKET, OrderType.LIMIT} and TimeInForce.AT_THE_OPENING in kept:
        kept.remove(TimeInForce.AT_THE_OPENING)
    return Ticket(
        instrument=draw(st.sampled_from(REAL)),
        exchange="SMART",
        action=Action.BUY,
        quantity=Decimal(1),
        order_type=order_type,
        limit_price=None,
        stop_price=None,
        time_in_force=draw(st.sampled_from(kept)),
        order_ref="",
        outside_rth=draw(st.booleans()),
    )


@given(ticket=tickets(), now=times)
@example(
    ticket=Ticket(
        REAL[0], "SMART", Action.BUY, Decimal(1), OrderType.LIMIT, None, None, TimeInForce.DAY, "", outside_rth=True
    ),
    now=datetime(2026, 11, 27, 21, 59, tzinfo=UTC),
)
def test_order_may_fill_in_one_session_that_is_not_over(ticket: Ticket, now: datetime) -> None:
    """Its time ends after now, within the session in which it starts, and extended hours are for those that may."""
    found = window(ticket, SESSIONS, now)
    session = SESSIONS.on(found.starts.astimezone(NEW_YORK).date())
    assert session is not None
    assert session.pre_market <= found.placed <= found.starts <= found.ends <= session.late_end
    assert now < found.ends <= now + timedelta(days=8)
    assert (found.starts == found.ends) is (auction_of(ticket) is not None)
    if found.starts <= now and not (ticket.outside_rth and ticket.order_type is not OrderType.MARKET):
        assert SESSIONS.phase(now) is Phase.REGULAR


@given(ticket=tickets(), now=times)
def test_order_that_waits_ends_no_earlier_than_it_may_fill(ticket: Ticket, now: datetime) -> None:
    """An order is never cancelled before its first chance; a GTC order is never cancelled."""
    ends = good_until(ticket, SESSIONS, now)
    if ticket.time_in_force in {TimeInForce.GOOD_TILL_CANCELLED, TimeInForce.GOOD_TILL_DATE}:
        assert ends is None  # a date is the client's, and none was given here
    else:
        assert ends == window(ticket, SESSIONS, now).ends


@given(now=times)
def test_parts_of_the_day_follow_each_other(now: datetime) -> None:
    """From one event to the next the part of the day stays what it is, and each day has a midnight."""
    following = SESSIONS.next_event(now)
    assert now < following <= now + timedelta(days=1, hours=1)
    assert SESSIONS.phase(following - timedelta(microseconds=1)) is SESSIONS.phase(now)


@pytest.mark.parametrize(
    ("day", "utc_open"),
    [
        (date(2026, 3, 6), "14:30"),
        (date(2026, 3, 9), "13:30"),
        (date(2026, 10, 30), "13:30"),
        (date(2026, 11, 2), "14:30"),
    ],
)
def test_open_is_at_half_past_nine_in_new_york_in_summer_and_winter(day: date, utc_open: str) -> None:
    """On both sides of each change of the clocks."""
    session = SESSIONS.on(day)
    assert session is not None
    assert f"{session.opens:%H:%M}" == utc_open


@given(text=st.text(max_size=40))
def test_any_text_is_an_end_or_is_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        assert read_good_till(text, datetime(2026, 11, 23, tzinfo=UTC)).tzinfo is UTC
    except BadGoodTill as error:
        assert len(str(error)) <= 60  # noqa: PT017 - either outcome is right
