"""A night at the broker as one drill of seconds: an order is held before the open, filled at it, and then forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.foreign.tiny import PROJECT, Fields, drilled

LINK = "trader -> gateway:4002"
# Places one order on a gateway that has none of its own, and says what each look at the gateway's lists finds.
TRADER = """\
import os, time
from ib_insync import IB, MarketOrder, Stock
ib = IB()
while True:
    try:
        if not ib.isConnected():
            ib.connect(os.environ["BROKER_HOST"], int(os.environ["BROKER_PORT"]), clientId=7, timeout=4)
            if not (ib.reqAllOpenOrders() or ib.reqExecutions() or ib.positions()):
                ib.placeOrder(Stock("AAPL", "SMART", "USD"), MarketOrder("BUY", 10))
        found = [trade.orderStatus.status for trade in ib.reqAllOpenOrders()]
        print(f"looked: open {found} executions {len(ib.reqExecutions())} holds {len(ib.positions())}", flush=True)
        ib.sleep(0.1)
    except (OSError, ConnectionError, TimeoutError) as error:
        print("could not look:", error, flush=True)
        ib.disconnect()
        time.sleep(0.1)
"""
PASSED: Fields = {
    "held-before-the-open": {
        "log": "trader",
        "matches": r"open \['PreSubmitted'\] executions 0 holds 0",
        "at_least": 1,
    },
    "filled-at-the-open": {"log": "trader", "matches": r"open \[\] executions 1 holds 1", "at_least": 1},
    "listed-no-more": {"log": "trader", "matches": r"open \[\] executions 0 holds 1", "at_least": 1, "during": "after"},
}


GATEWAY: Fields = {
    "run": [
        *("python", "-m", "fixtures.ibkr_gateway", "--ledger", "{data}/ledger.jsonl"),
        *("--port", "{port:4002}", "--control", "{port:4003}"),
    ],
    "ready": {"http": "http://gateway:4003/health"},
    "environment": {"PYTHONPATH": str(PROJECT)},
}
STACK: Fields = {
    "services": {
        "gateway": {"x-harness": GATEWAY},
        "trader": {
            "environment": {"BROKER_HOST": "gateway", "BROKER_PORT": "4002"},
            "depends_on": {"gateway": {"condition": "service_healthy"}},
            "x-harness": {"run": ["python", "{project}/trader.py"]},
        },
    },
    "x-harness": {
        "links": [LINK],
        "link_probes": {"gateway:4002": "tws"},
        "adapters": {
            "workload": {"wait": {"for_s": 3}},
            "gateway": {"control": "http://gateway:4003"},
            "traffic": [{"link": LINK, "log": "looked"}],
            "probes": PASSED,
        },
    },
}


def passing(to: str, at_s: float) -> Fields:
    """Time that passes to the next time of that name."""
    fault: Fields = {"gateway": "time-passes", "to": to}
    return {"service": "gateway", "is": fault, "from": {"at_s": at_s}, "for_s": 1}


@pytest.mark.parametrize(("night", "verdict"), [("midnight", "PASS"), ("close", "FAIL")])
def test_night_passes_in_seconds(tmp_path: Path, night: str, verdict: str) -> None:
    """Held at nine, filled at half past, listed no more after midnight; at the close of that day it is listed still."""
    (tmp_path / "trader.py").write_text(TRADER)
    scenario: Fields = {
        "name": "night",
        "about": "An order is held before the open, filled at it, and listed no more after midnight.",
        "broker": {"clock": "09:00"},
        "faults": [passing("open", 0.3), passing(night, 1.8)],
        "run_limit_s": 20,
        "recovery_limit_s": 8,
    }
    (tmp_path / "compose.yml").write_text(yaml.safe_dump(STACK))
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "night.yaml").write_text(yaml.safe_dump(scenario))
    found = drilled(tmp_path / "compose.yml", tmp_path / "reports", "night")
    assert found.verdict == verdict, found
    assert ("listed-no-more" in [check for check, _ in found.findings]) is (verdict == "FAIL"), found
