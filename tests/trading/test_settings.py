"""A setting that is wrong names itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trading.workflow.errors import SettingsInvalid
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
