"""The official client of today, told to be of every version at which a layout changes, understands what it is sent.

The other tests of versions read with the gateway's own layouts; a layout that is wrong in both directions shows here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.ibkr_gateway.conformance.environments import environment, lock_of
from tests.ibkr_gateway.stub import ACCOUNT, CLOCK, Stub

pytestmark = pytest.mark.sweep
# Before and at every step of a layout that a trade meets.
STEPS = (100, 101, 102, 103, 106, 110, 111, 121, 122, 123, 124, 126, 130, 131, 134, 135, 136, 138, 141, 142, 144, 145)
LATER = (148, 150, 151, 152, 157, 158, 160, 162, 163, 164, 165, 166, 169, 170, 176, 177, 178, 181, 182, 183, 184, 185)
LAST = (186, 187, 189, 190, 191, 192, 193, 194, 195, 196, 198, 199, 200)
PROTOBUF = (201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 216, 218, 221, 224, 226)
PROGRAM = Path(__file__).with_name("official_trader.py")
WAIT_S = 240.0


@pytest.mark.parametrize("versions", [STEPS, LATER, LAST, PROTOBUF], ids=["to-145", "to-185", "to-200", "protobuf"])
def test_official_client_trades_at_every_version(stub: Stub, versions: tuple[int, ...]) -> None:
    """Details, bars, an order to its fill, executions and completed orders arrive as they are meant."""
    stub.fill_after(0)
    python = str(environment("ibapi_latest", lock_of("ibapi_latest")))
    command = [python, str(PROGRAM), str(stub.port), *map(str, versions)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [came["version"] for came in told] == list(versions)
    for came in told:
        _check(came["version"], came)


def _check(version: int, came: dict[str, Any]) -> None:
    day = CLOCK.replace("-", "")
    assert "error" not in came, (version, came["error"])
    assert {(entry[0], entry[1]) for entry in came["notice"]} == {(-1, version >= 194)}
    ((con_id, name, tick, hours),) = came["details"]
    assert (con_id, name, tick, hours) == (265598, "APPLE INC", 0.01, day)
    assert [bar[0] for bar in came["bar"]][-1] == day
    assert all(float(bar[3]) > 0 < bar[4] for bar in came["bar"])
    assert len(came["bar"]) == 5
    assert came["bars"][0][1] == day
    own = ["AAPL", "LMT", "1", 500.25, 0.0, "DAY", ACCOUNT, f"at {version}", 3]
    assert came["order"] == [[*own, "PreSubmitted"], [*own, "Submitted"], [*own, "Filled"]], version
    assert came["Filled"] == [["1", "0", 430.48, 430.48]]
    fill = ["AAPL", "BOT", "1", 430.48, f"at {version}", "1", 1]
    assert (came["fill"], fill in came["execution"]) == ([fill], True)
    assert came["commission"][0] == [1.0, "USD"]
    if version >= 150:
        assert ["AAPL", "1", "Filled", "Filled Size: 1"] in came["completed"]
