"""The doctor's line about the gateway: there, alive, and for paper trading."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.trading.doctor.examining import line_of
from tests.trading.order_desk import fault
from tests.trading.parts import Parts
from tests.trading.process import free_port
from tests.trading.relay import Relay
from trading.doctor.finding import Verdict
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


def test_gateway_with_a_paper_account_passes(clean_gateway: Parts, set_up: SetUp) -> None:
    """Its account and our client id are shown."""
    set_up()
    found = line_of("gateway").finding
    assert found.verdict is Verdict.PASS
    assert "paper account DU1234567" in found.detail


def test_gateway_that_is_not_there_fails(set_up: SetUp) -> None:
    """No process listens there."""
    set_up(ibkr_port=free_port())
    line = line_of("gateway", deadline_s=1)
    assert line.finding.verdict is Verdict.FAIL
    assert "refused" in line.finding.detail
    assert "IBKR_PORT" in line.finding.fix
    assert line.elapsed_s < 2


@pytest.mark.parametrize(
    ("name", "given", "verdict", "words"),
    [
        ("farm-broken", {"farm": "history"}, Verdict.WARN, "ushmds (history)"),
        ("farm-inactive", {}, Verdict.PASS, ""),
        ("connectivity-lost", {}, Verdict.FAIL, "1100"),
        ("silent", {}, Verdict.FAIL, "timeout"),
        ("silent", {"requests": ["reqCurrentTime"]}, Verdict.FAIL, "within"),
        ("client-id-in-use", {}, Verdict.FAIL, "client_id_in_use"),
        ("client-id-in-use", {"client_ids": [10]}, Verdict.PASS, "client id 11"),
    ],
)
def test_gateway_under_a_fault(
    clean_gateway: Parts, set_up: SetUp, name: str, given: dict[str, Any], verdict: Verdict, words: str
) -> None:
    """What is wrong with the gateway is named, in time."""
    set_up()
    httpx.post(f"{clean_gateway.gateway_control}/faults", json=fault(name, **given), trust_env=False).raise_for_status()
    line = line_of("gateway", deadline_s=2)
    assert line.finding.verdict is verdict, line
    assert words in line.finding.detail
    assert bool(line.finding.fix) == (verdict is not Verdict.PASS)
    assert line.elapsed_s < 3


class _LiveAccount(Relay):
    """Shows the paper account under the name of a live one."""

    def _forward(self, chunk: bytes, target: socket.socket) -> None:
        super()._forward(chunk.replace(b"DU1234567", b"U12345678"), target)


def test_gateway_with_a_live_account_fails(clean_gateway: Parts, set_up: SetUp) -> None:
    """Orders there would be for real money."""
    relay = _LiveAccount(clean_gateway.gateway_port)
    try:
        set_up(ibkr_port=relay.port)
        found = line_of("gateway").finding
    finally:
        relay.close()
    assert found.verdict is Verdict.FAIL
    assert "U12345678, where orders are for real money" in found.detail
