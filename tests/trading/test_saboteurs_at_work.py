"""Every saboteur's broken path is taken in a run of the nine tasks, under the like of what its scenario does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest

from fixtures.saboteurs.catalogue import SABOTEURS
from tests.trading.conftest import url_of
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port, running_backend, wait_until
from tests.trading.relay import Relay, relay_to
from trading.workflow import tasks
from trading.workflow.errors import WorkflowError
from trading.workflow.settings import WorkflowSettings

pytestmark = pytest.mark.sweep

SetUp = Callable[..., WorkflowSettings]
_HOOK = Path(__file__).parents[2] / "fixtures" / "saboteurs" / "hook"
_DEADLINE_S = 90.0
_OUTAGE_S = 1.0
# These ask Airflow for another run, and there is none here.
_NEED_AIRFLOW = {name for name, each in SABOTEURS.items() if each.kind == "schedule"}
_OF_SYSTEM = [name for name, each in SABOTEURS.items() if each.scenarios and name not in _NEED_AIRFLOW]


class _Day:
    """A run of the nine tasks, and what goes wrong in it.

    Args:
        parts: what it runs on.
        set_up: changes the settings.
        gateway: in front of the broker.
        backend: in front of the backend.
        database: in front of the workflow's database.
    """

    def __init__(self, parts: Parts, set_up: SetUp, gateway: Relay, backend: Relay, database: Relay) -> None:
        self._set_up = set_up
        self._traps = {
            "answers-lost-briefly": (backend, b"AAPL daily chart", False),
            "broker-lost-briefly": (gateway, b"tw-AAPL-", True),
            "order-fills-late": (gateway, b"tw-AAPL-", True),
            "database-lost-at-the-order": (database, b"INSERT INTO orders", True),
        }
        self._run = new_run()
        self._states: dict[str, str] = {}
        self._usual: Mapping[str, object] = {
            "ibkr_port": gateway.port,
            "ibkr_reconnect_s": 20,
            "backend_api_url": f"http://127.0.0.1:{backend.port}",
            "database_url": url_of(parts.database_port).replace(f":{parts.database_port}", f":{database.port}"),
            "artifact_api_token": "token-of-the-artifacts",
            "llm_deadline_s": 2,
        }

    def arm(self, scenario: str) -> Relay | None:
        """Lay the trap of a scenario, where it has one: here, since what a fork does to a relay is not seen by it."""
        if scenario not in self._traps:
            return None
        relay, pattern, refuse = self._traps[scenario]
        relay.set_trap(pattern, forward=True, refuse=refuse)
        return relay

    def go(self, scenario: str) -> None:
        """Live through a scenario."""
        os.environ["AIRFLOW_CTX_DAG_RUN_ID"] = self._run
        nowhere = f"http://127.0.0.1:{free_port()}"
        of_scenario: Mapping[str, Mapping[str, object]] = {
            "analysis-down": {"llm_api_base_url": nowhere},
            "analysis-silent": {"llm_api_base_url": nowhere},
            "backend-down-briefly": {"backend_api_url": nowhere, "artifact_attempts": 2},
            "backend-down-throughout": {"backend_api_url": nowhere, "artifact_attempts": 2},
            "broker-gone": {"ibkr_port": free_port(), "ibkr_reconnect_s": 0.5},
            "broker-gone-at-first": {"ibkr_port": free_port(), "ibkr_reconnect_s": 0.5},
        }
        changes = of_scenario.get(scenario, {})
        self._change(changes)
        try:
            self._all_but_last(scenario)
        except WorkflowError:
            self._states.setdefault("preflight", "failed")
        if scenario != "backend-down-throughout":
            self._change({})
        with contextlib.suppress(WorkflowError):
            tasks.finalize(task(self._run, "finalize"), self._states)

    def _change(self, changes: Mapping[str, object]) -> None:
        self._set_up(**{**self._usual, **changes})

    def _all_but_last(self, scenario: str) -> None:
        symbols = self._do("preflight", tasks.run_preflight, {"symbols": ["AAPL"]})
        if scenario == "broker-gone-at-first":
            self._change({})
        data = self._do("fetch_market_data", tasks.fetch_market_data, symbols)
        self._do("generate_daily_chart", tasks.generate_chart, data, "daily")
        self._do("generate_weekly_chart", tasks.generate_chart, data, "weekly")
        signals = self._do("analyze_with_llm", tasks.analyze, data)
        self._do("place_order", tasks.place_order, data, signals)
        self._do("get_trades", tasks.get_trades, symbols)
        self._do("get_portfolio", tasks.get_portfolio)

    def _do(self, task_id: str, function: Callable[..., Any], *arguments: Any) -> Any:
        self._states[task_id] = "failed"
        answer = function(task(self._run, task_id), *arguments)
        self._states[task_id] = "success"
        return answer


@pytest.fixture
def acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which saboteurs tell that they are at work; a run before has left the stack whole."""
    folder = tmp_path / "acts"
    folder.mkdir()
    (folder / "first-run").write_text("another run")
    monkeypatch.setenv("SABOTEUR_ACTS", str(folder))
    monkeypatch.syspath_prepend(str(_HOOK))
    return folder / "acts.jsonl"


@contextlib.contextmanager
def _gives_back(relay: Relay) -> Iterator[None]:
    """Accept connections again a moment after the trap has sprung, for as long as the block lasts."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if relay.sprung.wait(0.1):
                over.wait(_OUTAGE_S)
                relay.restore()
                return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _told(acts: Path) -> set[tuple[str, str]]:
    if not acts.exists():
        return set()
    return {(each["saboteur"], each["what"]) for each in map(json.loads, acts.read_text().splitlines())}


def _go_and_exit(name: str, day: _Day, *, planted_here: bool) -> NoReturn:
    """In a fork, as a task is: plant, and go through the day of the saboteur's scenario."""
    try:
        if planted_here:
            import_module("saboteur_planting")._Planting(name, "").turn()
        day.go(SABOTEURS[name].scenarios[0])
    except BaseException:  # noqa: BLE001 - what ends a fork must not go on as a test
        traceback.print_exc()
    os._exit(0)


@pytest.mark.parametrize("name", _OF_SYSTEM)
def test_saboteur_is_at_work(
    name: str, clean_gateway: Parts, set_up: SetUp, acts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that its broken path was taken: what is never at work proves nothing of a check."""
    parts = clean_gateway
    with contextlib.ExitStack() as stack:
        of_backend = stack.enter_context(relay_to(parts.database_port))
        environment = {"SABOTEUR": name, "PYTHONPATH": os.pathsep.join([str(_HOOK), *sys.path])}
        if not SABOTEURS[name].restarts:
            environment = {}
        url = stack.enter_context(
            running_backend(url_of(of_backend.port), tmp_path / "backend.log", environment)
            if environment
            else contextlib.nullcontext(parts.backend_url)
        )
        gateway, database = (stack.enter_context(relay_to(p)) for p in (parts.gateway_port, parts.database_port))
        backend = stack.enter_context(relay_to(int(url.rpartition(":")[2])))
        day = _Day(parts, set_up, gateway, backend, database)
        if (armed := day.arm(SABOTEURS[name].scenarios[0])) is not None:
            stack.enter_context(_gives_back(armed))
        if SABOTEURS[name].scenarios == ("backend-database-lost",):
            of_backend.cut(refuse=True)
        pid = os.fork()
        if pid == 0:
            _go_and_exit(name, day, planted_here=not environment)
        ended: list[int] = []

        def is_over() -> bool:
            if not ended and os.waitpid(pid, os.WNOHANG) != (0, 0):
                ended.append(pid)
            return bool(ended) or (name, "acted") in _told(acts)

        try:
            wait_until(is_over, "the end of the run, or the saboteur at work", deadline_s=_DEADLINE_S)
        finally:
            if not ended:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    assert _told(acts) >= {(name, "planted"), (name, "acted")}
