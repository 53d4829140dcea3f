"""A log line tells what happened, and no secret that came with it."""

from __future__ import annotations

import pytest

from trading.workflow.events import attempt_failed, get_events, redacted

log = get_events(__name__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no http://user:sesame@host:1/x", "no http://***@host:1/x"),
        ("postgresql://ibkr_user:sesame@db/x is down", "postgresql://***@db/x is down"),
        ("Authorization: Bearer sesame", "Authorization: Bearer ***"),
        ("Illegal header value b'Bearer sesame'", "Illegal header value b'Bearer ***'"),
        ('{"authorization": "Basic c2VzYW1l"}', '{"authorization": "Basic ***"}'),
        ("GET /x?token=sesame&limit=3", "GET /x?token=***&limit=3"),
        ("GET /x?limit=3&api_key=sesame", "GET /x?limit=3&api_key=***"),
        ("GET /x?access_token=sesame#top", "GET /x?access_token=***#top"),
        ("the bearer of bad news", "the bearer *** bad news"),
        ("a key of 3 and a token", "a key of 3 and a token"),
    ],
)
def test_secrets_are_taken_out_of_texts(text: str, expected: str) -> None:
    """A password in an address, a token in a header or in a query; rather a word too many than one too few."""
    assert redacted(text) == expected


def test_log_line_has_no_secrets_of_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """A value of any type is written without its secrets."""
    error = ValueError("no answer from http://user:sesame@host/")
    attempt_failed(log, "backend", "timeout", attempt=2, elapsed_s=0.5, error=error, key="k", next_wait_s=1.25)
    log.warning("something", why=error)
    assert "sesame" not in caplog.text
    words = '"no answer from http://***@host/"'
    assert [record.getMessage() for record in caplog.records] == [
        f"attempt_failed target=backend cause=timeout attempt=2 elapsed_s=0.5 error={words} key=k next_wait_s=1.25",
        f"something why={words}",
    ]
