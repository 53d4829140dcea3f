"""The pre-flight and the gateway: what of it blocks, what degrades, and that a silent one is noticed in time."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.trading.flights import fly, noted
from tests.trading.gateway_faults import gateway_fault, gateway_with
from tests.trading.parts import Parts, new_run
from tests.trading.relay import Relay
from trading.workflow.errors import AccountNotPaper, GatewayUnavailable
from trading.workflow.local_notes import LocalNotes
from trading.workflow.market_calendar import today_in_new_york
from trading.workflow.preflight_checks import skew_of
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]

# Of the 30 s that a run may take to stop; a task's process takes the rest to start.
STOPS_WITHIN_S = 27.0


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("fault", "parameters", "words"),
    [
        ("farm-broken", {"farm": "market-data"}, "'farms': the gateway cannot reach usfarm (market data)"),
        ("farm-broken", {"farm": "history"}, "'farms': the gateway cannot reach ushmds (history)"),
        ("farm-broken", {"farm": "security-definition"}, "'farms': the gateway cannot reach secdefnj"),
        ("farm-inactive", {}, ""),
        ("slow", {"delay_s": 1.5}, ""),
        ("client-id-in-use", {"client_ids": [10, 11]}, ""),
    ],
)
def test_preflight_goes_on_with_a_gateway_that_works(
    clean_gateway: Parts, set_up: SetUp, fault: str, parameters: dict[str, Any], words: str
) -> None:
    """A broken farm is noted; a sleeping one, a slow gateway and another's client id are no trouble."""
    set_up()
    execution_id = new_run()
    with gateway_fault(clean_gateway, fault, **parameters):
        assert fly(execution_id) == ["AAPL"]
    causes = noted(clean_gateway, execution_id)
    assert len(causes) == bool(words)
    assert words in "".join(causes)


@pytest.mark.parametrize(
    ("fault", "parameters", "words"),
    [
        ("silent", {}, "no log-on within"),
        ("silent", {"requests": ["reqCurrentTime"]}, "no end of the gateway's time"),
        ("slow", {"delay_s": 30}, "no log-on within"),
        ("client-id-in-use", {}, "client_id_in_use"),
        ("connectivity-lost", {}, "lost the connection to its servers"),
        ("login-needed", {}, "refused"),
        ("daily-restart", {"refuse_s": 60}, "refused"),
        ("garbage-handshake", {}, "no connection to the gateway"),
        ("server-version-too-low", {}, "no connection to the gateway"),
    ],
)
def test_preflight_stops_the_run_when_the_gateway_cannot_be_used(
    clean_gateway: Parts, set_up: SetUp, fault: str, parameters: dict[str, Any], words: str
) -> None:
    """For everything that can be wrong with it, the cause is named and noted."""
    set_up(ibkr_reconnect_s=2)
    execution_id = new_run()
    started_s = time.monotonic()
    with gateway_fault(clean_gateway, fault, **parameters), pytest.raises(GatewayUnavailable, match=words):
        fly(execution_id)
    assert time.monotonic() - started_s < 10
    assert any(words in cause for cause in noted(clean_gateway, execution_id))


def test_preflight_stops_in_time_when_everything_is_silent(set_up: SetUp, tmp_path: Path) -> None:
    """With the settings' usual patience: gateway, database and backend accept, and say nothing."""
    with deaf() as gateway, deaf() as database, deaf() as backend:
        settings = set_up(
            ibkr_port=gateway,
            database_url=f"postgresql://u:p@127.0.0.1:{database}/x",
            backend_api_url=f"http://127.0.0.1:{backend}",
        )
        execution_id = new_run()
        started_s = time.monotonic()
        with pytest.raises(GatewayUnavailable, match="no log-on within"):
            fly(execution_id)
        assert time.monotonic() - started_s < STOPS_WITHIN_S
    kept = LocalNotes(settings.artifact_spool_dir).of_run(execution_id)
    told = {cause.split("'")[1] if "check '" in cause else kind: kind for _, kind, cause in kept}
    assert told == {"backend": "degraded", "database": "failed", "failed": "failed"}


class RelayToRealMoney(Relay):
    """A relay that gives the gateway a live account, which the stub itself refuses to have."""

    def _forward(self, chunk: bytes, target: socket.socket) -> None:
        super()._forward(chunk.replace(b"DU1234567", b"U12345678"), target)


def test_preflight_refuses_an_account_with_real_money(clean_gateway: Parts, set_up: SetUp) -> None:
    """A gateway on the wrong port must not be traded on."""
    relay = RelayToRealMoney(clean_gateway.gateway_port)
    try:
        set_up(ibkr_port=relay.port)
        with pytest.raises(AccountNotPaper, match="logged in to U12345678, and a paper account begins with DU"):
            fly(new_run())
    finally:
        relay.close()


@pytest.mark.parametrize(("days", "words"), [(-1, "s behind ours"), (1, "s ahead of ours")])
def test_preflight_notes_a_gateway_on_another_date(
    parts: Parts, set_up: SetUp, tmp_path: Path, days: int, words: str
) -> None:
    """Its clock is a day off."""
    day = today_in_new_york() + timedelta(days=days)
    execution_id = new_run()
    with gateway_with(tmp_path, "--clock", str(day)) as port:
        set_up(ibkr_port=port)
        fly(execution_id)
    (cause,) = noted(parts, execution_id)
    assert "check 'clocks': the gateway's clock is 86" in cause
    assert words in cause


@pytest.mark.parametrize(
    ("asked_s", "told_s", "answered_s", "skew_s"),
    [
        (100.0, 100, 100.1, 0.0),
        (100.9, 100, 101.2, 0.0),  # cut off to a whole second
        (100.0, 103, 105.0, 0.0),  # a slow answer may have been made at any moment
        (100.0, 103, 100.5, 2.5),
        (100.0, 95, 100.5, -4.0),
    ],
)
def test_clock_skew_is_what_is_certain(asked_s: float, told_s: float, answered_s: float, skew_s: float) -> None:
    """Neither whole seconds nor a slow answer look like a clock that is wrong."""
    assert skew_of(asked_s, told_s, answered_s) == pytest.approx(skew_s)
