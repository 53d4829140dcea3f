"""A setting that is wrong names itself; a schedule that is wrong leaves the workflow usable by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trading.workflow.errors import SettingsInvalid
from trading.workflow.schedule import ScheduleSettings, read_schedule
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ibkr_port", "99999"),
        ("backend_api_url", "nowhere"),
        ("database_url", "mysql://x"),
        ("stock_symbols", "AAPL,?"),
        ("order_quantity", "0"),
        ("market_data_duration", "a year"),
    ],
)
def test_settings_name_what_is_wrong(set_up: SetUp, name: str, value: str) -> None:
    """The error is one line that begins with the variable."""
    with pytest.raises(SettingsInvalid, match=name.upper()):
        set_up(**{name: value})


def test_settings_read_lists(set_up: SetUp) -> None:
    """Symbols are separated by commas, repeats are dropped; addresses by commas or blanks."""
    settings = set_up(stock_symbols="aapl, MSFT,AAPL", notify_urls="json://a/x, json://b/y")
    assert settings.stock_symbols == ("AAPL", "MSFT")
    assert [url.get_secret_value() for url in settings.notify_urls] == ["json://a/x", "json://b/y"]


@pytest.mark.parametrize(
    ("text", "cron"),
    [("0 9 * * 1-5", "0 9 * * 1-5"), ("@daily", "0 0 * * *"), ("", None), ("manual", None), ("Manual ", None)],
)
def test_schedule_reads(text: str, cron: str | None) -> None:
    """Cron fields, presets, and the ways to say that there is none."""
    schedule = read_schedule(ScheduleSettings(workflow_schedule=text))
    assert (schedule.cron, schedule.problem) == (cron, "")


@pytest.mark.parametrize("text", ["61 * * * *", "* * * *", "0 9 * * 1-5 2026", "every day", "@sometimes"])
def test_schedule_that_is_wrong_becomes_manual_with_words(text: str) -> None:
    """Nothing is scheduled, and the words show what came and a correct example."""
    schedule = read_schedule(ScheduleSettings(workflow_schedule=text))
    assert schedule.cron is None
    assert repr(text) in schedule.problem
    assert "0 9 * * 1-5" in schedule.problem


def test_schedule_names_an_unknown_timezone() -> None:
    """A wrong zone would trade at the wrong hour."""
    schedule = read_schedule(ScheduleSettings(workflow_timezone="America/Gotham"))
    assert schedule.cron is None
    assert "WORKFLOW_TIMEZONE" in schedule.problem
