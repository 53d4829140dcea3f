"""How faults are ordered, triggered, counted and lifted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.ibkr_gateway.faults.registry import FAULTS
from tests.ibkr_gateway.faults.desk import Desk, aapl, bars, buy
from tests.ibkr_gateway.stub import end, free_port, start, wait_until


def test_third_order_is_the_one_that_is_rejected(desk: Desk) -> None:
    """A fault that waits for the n-th request is on before that one is answered, and not earlier."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("order-rejected", on={"request": "placeOrder", "nth": 3}, times=1)
    assert desk.fault(fault)["state"] == "armed"
    for reference in "abcd":
        client.placeOrder(aapl(), buy(1, orderRef=reference))
    wait_until(lambda: len(desk.stub.entries("fill")) == 3, "the others filled", evidence=desk.stub.orders)
    assert {order["order_ref"]: order["status"] for order in desk.stub.orders()} == {
        "a": "Filled",
        "b": "Filled",
        "c": "Inactive",
        "d": "Filled",
    }
    assert (desk.fault(fault)["state"], desk.hits(fault)) == ("spent", 1)


def test_several_faults_are_on_at_once(desk: Desk) -> None:
    """Each counts for itself; where both could step in, the first one does."""
    client = desk.watched()
    first, second = desk.order("history-pacing", times=1), desk.order("history-no-data")
    other = desk.order("competing-session")
    bars(client)
    bars(client)
    assert [desk.hits(fault) for fault in (first, second, other)] == [1, 1, 0]
    assert [text.rpartition("message:")[2][:26] for _, _, text in desk.told] == [
        "Historical data request pa",
        "HMDS query returned no dat",
    ]


def test_fault_ends_by_itself(desk: Desk) -> None:
    """After its time it is lifted, without a call."""
    body = {"name": "history-no-data", "for_s": 0.1}
    fault = desk.stub.control.post("/faults", json=body).json()["id"]
    wait_until(lambda: desk.fault(fault)["state"] == "lifted", "lifted")
    assert len(bars(desk.watched())) == 5


def test_fault_begins_after_its_time(desk: Desk) -> None:
    """Until then nothing goes wrong."""
    fault = desk.order("history-no-data", on={"after_s": 0.3})
    assert len(bars(desk.watched())) == 5
    wait_until(lambda: desk.fault(fault)["state"] == "on", "on")
    assert list(bars(desk.watched(2))) == []


def test_armed_fault_that_is_lifted_never_comes(desk: Desk) -> None:
    """Its trigger happens, and nothing goes wrong."""
    client = desk.watched()
    fault = desk.order("history-no-data", on={"request": "reqHistoricalData"})
    desk.lift(fault)
    assert len(bars(client)) == 5
    assert desk.hits(fault) == 0


def test_lifting_everything_leaves_nothing_on(desk: Desk) -> None:
    """One call heals all."""
    for name in ("history-no-data", "silent", "login-needed"):
        desk.order(name)
    left = desk.stub.control.delete("/faults").json()["faults"]
    assert {fault["state"] for fault in left} == {"lifted"}
    assert len(bars(desk.watched())) == 5


def test_reset_forgets_every_fault(desk: Desk) -> None:
    """A clean state has none, and what was refused is open."""
    desk.order("login-needed")
    desk.stub.reset()
    assert desk.stub.control.get("/faults").json() == {"faults": []}
    assert desk.attempt() == "connected"


def test_ledger_tells_of_a_faults_whole_life(desk: Desk) -> None:
    """Armed, on, each hit with what happened, lifted."""
    client = desk.watched()
    fault = desk.order("history-no-data")
    bars(client)
    desk.lift(fault)
    life = [entry for entry in desk.stub.entries() if entry["kind"].startswith("fault_")]
    assert [entry["kind"] for entry in life] == ["fault_armed", "fault_on", "fault_hit", "fault_lifted"]
    assert {entry["name"] for entry in life} == {"history-no-data"}
    assert life[2]["detail"] == "reqHistoricalData answered with 162"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"name": "rain"}, "name: no fault 'rain'; there are: absurd-length, "),
        ({"name": "slow", "parameters": {"delay_s": -1}}, "delay_s: Input should be greater than 0"),
        ({"name": "slow", "parameters": {"pace": 1}}, "the parameters of slow: delay_s, each"),
        ({"name": "login-needed", "parameters": {"who": 1}}, "the parameters of login-needed: none"),
        ({"name": "silent", "parameters": {"requests": ["reqLunch"]}}, "no request 'reqLunch'; there are: "),
        ({"name": "truncated-frame", "parameters": {"message": "lunch"}}, "no message 'lunch'; there are: account"),
        ({"name": "silent", "on": {}}, "expected either after_s or request"),
        ({"name": "silent", "on": {"request": "reqLunch"}}, "no request 'reqLunch'"),
        ({"name": "silent", "on": {"request": "placeOrder", "nth": 0}}, "greater than or equal to 1"),
        ({"name": "silent", "times": 0}, "times: Input should be greater than or equal to 1"),
        ({"name": "silent", "for_s": float(10**9)}, "for_s: Input should be less than or equal to"),
        ({"name": "silent", "sometimes": True}, "sometimes: Extra inputs are not permitted"),
        ([], "should be an object"),
    ],
    ids=str,
)
def test_bad_order_is_refused_with_what_is_allowed(desk: Desk, order: Any, reason: str) -> None:
    """Nothing is armed, and the answer says what is wrong."""
    answer = desk.stub.control.post("/faults", json=order)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert desk.stub.control.get("/faults").json() == {"faults": []}


def test_unknown_fault_id_is_not_found(desk: Desk) -> None:
    """Neither read nor lifted."""
    assert desk.stub.control.get("/faults/99").status_code == 404
    assert desk.stub.control.delete("/faults/99").status_code == 404


def test_every_fault_is_described(desk: Desk) -> None:
    """A driver can ask what there is, and with which parameters."""
    known = desk.stub.control.get("/faults/known").json()
    assert set(known) == set(FAULTS)
    assert all(fault["about"] for fault in known.values())
    assert set(known["slow"]["parameters"]) == {"delay_s", "each"}


def test_every_fault_has_a_test_that_asks_how_often_it_hit() -> None:
    """A fault that is added without one is found here."""
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name in FAULTS if f'"{name}"' not in tests] == []


def test_every_fault_is_documented() -> None:
    """The page on the stub has a row for each, in the words that the control port uses."""
    page = (Path(__file__).parents[3] / "docs" / "gateway-stub.md").read_text()
    assert [name for name, fault in FAULTS.items() if f"| `{name}` | {fault.ABOUT} |" not in page] == []


def test_fault_may_be_there_from_the_start(new_ledger: Path) -> None:
    """The command line names it, with its parameters."""
    stub = start(new_ledger, "--fault", "history-no-data", "--fault", 'slow={"delay_s": 0.01}')
    try:
        names = [fault["order"]["name"] for fault in stub.control.get("/faults").json()["faults"]]
        assert names == ["history-no-data", "slow"]
    finally:
        end(stub)


@pytest.mark.parametrize(
    ("argument", "reason"),
    [("rain", "no fault 'rain'"), ("slow={", "--fault slow={: Invalid JSON"), ('slow={"delay_s":0}', "greater than 0")],
)
def test_bad_fault_on_the_command_line_ends_with_one_line(new_ledger: Path, argument: str, reason: str) -> None:
    """Exit code 2, and nothing was started."""
    command = [sys.executable, "-m", "fixtures.ibkr_gateway", "--port", str(free_port()), "--control", str(free_port())]
    done = subprocess.run(
        [*command, "--ledger", str(new_ledger), "--fault", argument],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not new_ledger.exists()
