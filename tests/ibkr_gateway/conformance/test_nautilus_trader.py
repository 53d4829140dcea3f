"""NautilusTrader's own adapter for Interactive Brokers, unmodified: a node that starts, reconciles and trades."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.ibkr_gateway.conformance.environments import environment, lock_of
from tests.ibkr_gateway.stub import ACCOUNT, Stub

_RUN_S = 180.0
# Pandas, Arrow and the engine itself are half a gigabyte.
_MAKING_S = 900.0


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    """The interpreter of its environment, which only the long variant makes."""
    if not request.config.getoption("--thorough"):
        pytest.skip("NautilusTrader is installed and tried in the long variant only")
    return environment("nautilus_trader", lock_of("nautilus_trader"), deadline_s=_MAKING_S)


def run_a_node(python: Path, stub: Stub) -> list[dict[str, Any]]:
    """Run a node that buys ten shares of AAPL, and return what it told."""
    done = subprocess.run(
        [str(python), "-m", "drivers.trade_with_nautilus", str(stub.port), ACCOUNT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        timeout=_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Its log comes on standard output as well.
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_node_starts_reconciles_and_trades(python: Path, stub: Stub) -> None:
    """It finds nothing at first, and after it has traded what it holds; the ledger has both purchases, each once."""
    for held in ({}, {"AAPL.NASDAQ": "10"}):
        told = {each["happened"]: each for each in run_a_node(python, stub)}
        assert told["reconciled"]["positions"] == held
        filled = told["filled"]
        assert (filled["quantity"], filled["price"], filled["commission"]) == ("10", "430.48", "1.00 USD")
    assert [(fill["side"], fill["shares"]) for fill in stub.entries("fill")] == [("BOT", "10"), ("BOT", "10")]
