"""Candles with volume, moving averages and strength, as PNG files that are complete or absent."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import matplotlib as mpl
import mplfinance as mpf
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from trading.workflow.analysis.indicators import FAST_BARS, SLOW_BARS, STRENGTH_BARS, average, strength
from trading.workflow.frames import frame_of
from trading.workflow.market_data import Bar

Period = Literal["daily", "weekly"]

mpl.use("Agg")

_SHOWN: Mapping[Period, int] = MappingProxyType({"daily": 120, "weekly": 60})
_SIZE_INCHES = (10, 7)
_DPI = 96
_AVERAGE_COLORS = MappingProxyType({FAST_BARS: "#1f5fbf", SLOW_BARS: "#e08214"})
_STRENGTH_COLOR = "#6a3d9a"
_OVERSOLD, _OVERBOUGHT = 30, 70
_STYLE = mpf.make_mpf_style(
    base_mpf_style="yahoo",
    facecolor="#ffffff",
    gridcolor="#e6e6e6",
    rc={"font.size": 9, "axes.edgecolor": "#b0b0b0", "axes.titlesize": 11},
)


def draw(bars: Sequence[Bar], *, symbol: str, period: Period) -> bytes:
    """Draw candles over volume over the strength index, the latter where there are bars enough for it.

    Args:
        bars: oldest first; the newest are shown, and all go into averages and strength.
        symbol: for the title.
        period: what one bar is.

    Returns:
        The PNG's bytes.
    """
    frame = frame_of(bars)
    shown = frame.iloc[-_SHOWN[period] :]
    averages, strengths = _averages(frame, shown), _strength(frame, shown)
    figure, axes = mpf.plot(
        shown,
        type="candle",
        volume=True,
        # From 0 on, so that bars compare by their height; volumes of nothing need some height, too.
        volume_ylim=(0, 1.1 * shown["Volume"].max() or 1),
        volume_exponent=0,
        style=_STYLE,
        addplot=averages + strengths,
        panel_ratios=(6, 2, 2) if strengths else (6, 2),
        ylabel="Price",
        datetime_format="%Y-%m-%d",
        xrotation=0,
        figsize=_SIZE_INCHES,
        scale_padding={"left": 0.15, "right": 0.95, "top": 0.5, "bottom": 0.4},
        returnfig=True,
    )
    try:
        # Each panel has a second axes, for lines with a scale of their own; ours have none.
        _label(axes[::2], f"{symbol} {period}   {bars[-1].day}   close {bars[-1].close:f}", has_legend=bool(averages))
        image = io.BytesIO()
        figure.savefig(image, dpi=_DPI, format="png")
    finally:
        plt.close(figure)
    return image.getvalue()


def _label(panels: Sequence[Axes], title: str, *, has_legend: bool) -> None:
    price, volume, *lower = panels
    # Not the figure's own title: its font is semibold, which the machine's default font does not have.
    price.set_title(title, loc="left")
    if has_legend:
        # Beside the title, since inside it would lie upon candles.
        price.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(_AVERAGE_COLORS), frameon=False)
    volume.yaxis.set_major_formatter(EngFormatter(sep=""))
    for panel in lower:
        panel.set_yticks([_OVERSOLD, 50, _OVERBOUGHT])
    # Bars stand at whole numbers; between them there is no date.
    price.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _averages(frame: pd.DataFrame, shown: pd.DataFrame) -> list[dict[str, Any]]:
    lines = {bars: average(frame, bars).loc[shown.index] for bars in _AVERAGE_COLORS}
    return [
        mpf.make_addplot(line, color=_AVERAGE_COLORS[bars], width=1.2, label=f"EMA {bars}", secondary_y=False)
        for bars, line in lines.items()
        # One without a point would still stand in the legend.
        if line.notna().any()
    ]


def _strength(frame: pd.DataFrame, shown: pd.DataFrame) -> list[dict[str, Any]]:
    line = strength(frame).loc[shown.index]
    if line.isna().all():
        return []
    return [
        mpf.make_addplot(
            line,
            panel=2,
            color=_STRENGTH_COLOR,
            width=1.2,
            ylabel=f"RSI {STRENGTH_BARS}",
            ylim=(0, 100),
            secondary_y=False,
            fill_between={"y1": _OVERSOLD, "y2": _OVERBOUGHT, "color": _STRENGTH_COLOR, "alpha": 0.08},
        )
    ]


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
    # A figure is full of cycles. Left here, each fork would copy it for itself, only to throw it away.
    gc.collect()


def chart_file(execution_id: str, symbol: str, period: Period) -> str:
    """Name a chart's file: the same for every attempt of a run, and safe for any name of a run."""
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
