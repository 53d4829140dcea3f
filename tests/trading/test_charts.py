"""Charts are pictures of any number of bars, the same for the same bars, and complete or absent."""

from __future__ import annotations

import io
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt

from tests.trading.analysis_parts import bars
from trading.workflow import charts
from trading.workflow.charts import Period, chart_file, draw, write_atomically
from trading.workflow.market_data import Bar

_PNG = b"\x89PNG\r\n\x1a\n"


def size_of(png: bytes) -> tuple[int, int]:
    """A picture's width and height, out of its first chunk."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def has_color(png: bytes, color: str, *, within: int) -> bool:
    """Whether a picture has a pixel of about this color; thin lines blend with what is below."""
    pixels = (plt.imread(io.BytesIO(png))[:, :, :3] * 255).round().astype(int)
    wanted = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return bool((np.abs(pixels - wanted).sum(axis=2) <= within).any())


def flat(count: int) -> tuple[Bar, ...]:
    """Bars of a stock without trades."""
    return tuple(
        bar.model_copy(update={"high": bar.close, "low": bar.close, "volume": Decimal(0)}) for bar in bars(count, "0")
    )


@pytest.mark.parametrize(
    ("count", "period"),
    [*((count, "daily") for count in (1, 5, 12, 13, 14, 20, 26, 27, 30, 300)), (1, "weekly"), (52, "weekly")],
)
def test_chart_is_a_picture_of_any_number_of_bars(count: int, period: Period) -> None:
    """Few bars or many, with all indicators, some or none, it is a picture of one size."""
    png = draw(bars(count, "0.1"), symbol="BRK B", period=period)
    assert png.startswith(_PNG)
    assert size_of(png) == (960, 672)


@pytest.mark.parametrize(
    ("count", "fast", "slow", "panel"),
    [(11, False, False, False), (13, True, False, False), (14, True, False, True), (27, True, True, True)],
)
def test_chart_shows_what_there_are_bars_for(count: int, fast: bool, slow: bool, panel: bool) -> None:  # noqa: FBT001 - columns of the table
    """The average of 12 bars, the strength of 14, the average of 26: each when it has a point, or not even a label."""
    png = draw(bars(count, "0.1"), symbol="AAPL", period="daily")
    assert has_color(png, "#1f5fbf", within=100) == fast
    assert has_color(png, "#e08214", within=100) == slow
    assert has_color(png, "#f3eff7", within=4) == panel


@pytest.mark.parametrize("count", [1, 30])
def test_chart_shows_prices_that_never_moved(count: int) -> None:
    """No range and no volume are drawn without a warning."""
    assert draw(flat(count), symbol="AAPL", period="daily").startswith(_PNG)


def test_chart_is_the_same_for_the_same_bars() -> None:
    """A task that runs again writes the same file, to the byte."""
    first, second = (draw(bars(60, "0.1"), symbol="AAPL", period="daily") for _ in range(2))
    assert first == second


def test_chart_shows_the_newest_bars_with_averages_of_all() -> None:
    """Bars that are too old to be shown still go into the averages of those that are."""
    long = draw(bars(300, "0.1"), symbol="AAPL", period="daily")
    short = draw(bars(300, "0.1")[-120:], symbol="AAPL", period="daily")
    assert size_of(long) == size_of(short)
    assert long != short


def test_chart_leaves_nothing_open() -> None:
    """A process that draws many does not grow by each."""
    draw(bars(30), symbol="AAPL", period="daily")
    assert plt.get_fignums() == []


def test_chart_is_drawn_in_time() -> None:
    """Once a process is warm, a chart takes less than 1.3 s; of the processor's time, since the machine may be busy."""
    charts.warm_up()
    started_s = time.process_time()
    draw(bars(250, "0.1"), symbol="AAPL", period="daily")
    assert time.process_time() - started_s < 1.3


def test_chart_file_is_safe_and_the_same_for_each_attempt() -> None:
    """A run's name may hold anything; the file's does not, and a retry overwrites it rather than adding one."""
    name = chart_file("manual__2026-11-23T09:14+00:00/../x", "BRK B", "daily")
    assert name == chart_file("manual__2026-11-23T09:14+00:00/../x", "BRK B", "daily")
    assert name.replace("_", "").replace("-", "").replace(".png", "").isalnum()


def test_chart_file_is_replaced_whole(tmp_path: Path) -> None:
    """A second writing replaces the first, and leaves nothing else behind."""
    for content in (b"first", b"second"):
        write_atomically(tmp_path / "charts", "a.png", content)
    (left,) = (tmp_path / "charts").iterdir()
    assert (left.name, left.read_bytes(), left.stat().st_mode & 0o777) == ("a.png", b"second", 0o644)


def test_chart_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Where the file's place is taken by a folder, the error is told and no half a file stays."""
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path, "a.png", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
