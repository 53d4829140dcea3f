"""Tries of the task place_order, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from trading.workflow.analysis.signal import Signal
from trading.workflow.market_data import Instrument, MarketData

_SCRIPT = Path(__file__).with_name("task_nursery.py")
_END_S = 30.0

AAPL = Instrument(symbol="AAPL", con_id=265598, currency="USD")


@dataclass(frozen=True, slots=True)
class Try:
    """One try of the task.

    Args:
        execution_id: the run.
        try_number: counted from 1.
        environment: the workflow's settings.
        log: the file that the task's log is added to.
        saboteur: a defect to plant first; empty for none.
    """

    execution_id: str
    try_number: int
    environment: Mapping[str, str]
    log: str
    saboteur: str = ""


class Nursery:
    """Runs one try after the other.

    Args:
        popen: the process that forks them.
    """

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen

    def run(self, job: Try, started: Callable[[int], None] = lambda _pid: None) -> int:
        """Run a try to its end, and return how it ended: an exit code, or minus the number of a signal.

        Args:
            job: the try.
            started: receives the pid of its process.
        """
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        work = {**asdict(job), "market_data": _market_data(), "signals": _signals()}
        self._popen.stdin.write(json.dumps(work) + "\n")
        self._popen.stdin.flush()
        started(int(self._popen.stdout.readline()))
        return int(self._popen.stdout.readline())


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """Keep a process that forks tries for as long as the block lasts."""
    popen = subprocess.Popen(
        [sys.executable, str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_SCRIPT.parents[2])},
        text=True,
    )
    try:
        with popen:
            yield Nursery(popen)
            assert popen.stdin is not None
            popen.stdin.close()
            popen.wait(_END_S)
    finally:
        popen.kill()


def _market_data() -> dict[str, JsonValue]:
    return {"AAPL": MarketData(instrument=AAPL, daily=(), weekly=()).model_dump(mode="json")}


def _signals() -> dict[str, JsonValue]:
    signal = Signal(
        symbol="AAPL",
        action="BUY",
        confidence=0.9,
        rationale="a test",
        source="model",
        model_name="test",
        actionable=True,
        no_order_reason="",
        indicators={},
        close=Decimal(100),
    )
    return {"AAPL": signal.model_dump(mode="json")}
