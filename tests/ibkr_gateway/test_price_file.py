"""The file that real daily prices are read from."""

from __future__ import annotations

import gzip
import socket
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fixtures.ibkr_gateway.__main__ import main
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.real_prices import load_real_prices
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

DAYS = load_trading_days()
_HEADER = "Ticker,Date,Open,High,Low,Close,Volume,Adj Close\n"
_DAY = "ZZZ,2000-01-03,10,12,9,11,500,11\n"


def _packed(rows: str) -> bytes:
    return gzip.compress(rows.encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"no gzip", "Not a gzipped file"),
        (_packed(_HEADER + _DAY * 99)[:-9], "end-of-stream"),
        (_packed(_HEADER + _DAY)[:10] + b"\xff" * 40, "invalid block type"),
        (gzip.compress(b"\xff\xfe\x00"), "utf-8"),
        (_packed(""), "expected the columns"),
        (_packed("Ticker,Price\n"), "expected the columns"),
        (_packed(_HEADER), "at least 2 days"),
        (_packed(_HEADER + _DAY), "at least 2 days"),
        (_packed(_HEADER + _DAY + "ZZZ,2000-01-04,10,12\n"), "line 3"),
        (_packed(_HEADER + _DAY + _DAY.replace(",500,", ",many,")), "line 3"),
        (_packed(_HEADER + _DAY + _DAY.replace(",10,", ",NaN,")), "line 3"),
        (_packed(_HEADER + _DAY + _DAY.replace(",12,", ",Infinity,")), "line 3"),
        (_packed(_HEADER + _DAY + _DAY.replace(",9,", ",-9,")), "line 3"),
        (_packed(_HEADER + _DAY + _DAY.replace(",11,500", ",13,500")), "line 3"),
        (_packed(_HEADER + "x" * 200_000), "field larger than"),
    ],
    ids=lambda part: part.replace(" ", "-") if isinstance(part, str) else "",
)
def test_price_file_that_cannot_be_read_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    """One line that names the file and what is wrong with it, and exit code 2; no ledger is begun."""
    prices, ledger = tmp_path / "prices.csv.gz", tmp_path / "ledger.jsonl"
    if content is not None:
        prices.write_bytes(content)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        # Should the file be taken as it is, then the port is refused, so that the command ends all the same.
        port = str(taken.getsockname()[1])
        assert main(["--ledger", str(ledger), "--port", port, "--prices", str(prices)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert str(prices) in line
    assert not ledger.exists()


def test_price_file_of_ones_own_is_served(tmp_path: Path) -> None:
    """Its stocks have its prices, put on the drill's days; all others are made up."""
    prices = tmp_path / "prices.csv.gz"
    prices.write_bytes(_packed(_HEADER + _DAY + _DAY.replace(",11,500", ",12,700")))
    playing = Market(date(2026, 11, 20), DAYS, load_real_prices(prices), seed=1)
    assert [(str(bar.day), bar.close, bar.volume) for bar in playing.daily("ZZZ")] == [
        ("2026-11-19", Decimal(11), 500),
        ("2026-11-20", Decimal(12), 700),
    ]
    assert playing.quote("ZZZ").previous_close == Decimal(11)
    assert len(playing.daily("AAPL")) > 1000
