"""Candles with volume and moving averages, as PNG files that are complete or absent."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import mplfinance as mpf

from trading.workflow.frames import frame_of
from trading.workflow.market_data import Bar

Period = Literal["daily", "weekly"]

mpl.use("Agg")

_SHOWN = {"daily": 120, "weekly": 60}
_AVERAGES = {"daily": (12, 26), "weekly": (10, 20)}
_DPI = 80


def draw(bars: Sequence[Bar], *, symbol: str, period: Period) -> bytes:
    """Draw candles.

    Args:
        bars: oldest first; the newest are shown.
        symbol: for the title.
        period: what one bar is.

    Returns:
        The PNG's bytes.
    """
    shown = list(bars)[-_SHOWN[period] :]
    averages = tuple(length for length in _AVERAGES[period] if length < len(shown))
    image = io.BytesIO()
    mpf.plot(
        frame_of(shown),
        type="candle",
        volume=True,
        style="yahoo",
        # The style asks for a semibold font, which the machine's default font does not have.
        axtitle=f"{symbol} {period}",
        figsize=(10, 6),
        savefig={"fname": image, "dpi": _DPI, "format": "png"},
        **({"mav": averages} if averages else {}),
    )
    return image.getvalue()


def warm_up() -> None:
    """Draw once to nowhere: fonts and styles are read, and later drawings of this process and its forks are quick."""
    blank = [
        Bar(
            day=date(2024, 1, day),
            open=Decimal(1),
            high=Decimal(1),
            low=Decimal(1),
            close=Decimal(1),
            volume=Decimal(1),
        )
        for day in range(1, 31)
    ]
    draw(blank, symbol="", period="daily")


def chart_file(execution_id: str, symbol: str, period: Period) -> str:
    """Name a chart's file: the same for every attempt of a run, and safe whatever the run is called."""
    digest = hashlib.sha256(execution_id.encode()).hexdigest()[:16]
    return f"{digest}_{symbol.replace(' ', '-')}_{period}.png"


def write_atomically(folder: Path, name: str, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none of it.

    Args:
        folder: made when missing.
        name: the file's.
        content: its bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # The backend serves it, which may run as another user.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
