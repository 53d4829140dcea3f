"""A stack that is up: its addresses are told, drills and loads run on it, and it says what it is doing meanwhile."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from rich.console import Console

from harness.daemon.client import ask_status, drill_on
from harness.daemon.messages import DaemonState
from harness.daemon.state_file import read_state
from harness.daemon.status import StackStatus, Work
from harness.errors import HarnessError
from harness.load.report import LoadDocument
from harness.report.terminal import TerminalProgress
from harness.runtime.cache import VARIABLE, cache_directory
from harness.scenario.model import Scenario
from harness.stack.credentials import Origin
from tests.daemon.conftest import (
    COMPOSE,
    DATABASE_PASSWORD,
    DEADLINE_S,
    GIVEN_SECRET,
    PROJECT,
    addresses_in,
    run_harness,
    start_harness,
)

QUIET = TerminalProgress(Console(quiet=True))
CALM = Scenario(name="calm", about="Nothing goes wrong.")
STACK = "docker-compose.test.yml"


def status_of(home: Path) -> StackStatus:
    """What `harness status --json` says."""
    done = run_harness("status", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    return StackStatus.model_validate_json(done.stdout)


@pytest.fixture
def daemon(up: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> DaemonState:
    """The daemon of the stack, to be spoken to without a command."""
    assert "it stays up" in up
    monkeypatch.setenv(VARIABLE, str(cache_directory(PROJECT)))
    state = read_state(home / STACK)
    assert state is not None
    return state


def wait_for_work(daemon: DaemonState, command: subprocess.Popen[str]) -> Work:
    """Ask the daemon, over its socket, until it is in the midst of some work."""
    gives_up_at_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < gives_up_at_s:
        status = asyncio.run(ask_status(daemon, QUIET))
        if status.work is not None and status.work.step:
            return status.work
        assert command.poll() is None, command.communicate()
    raise AssertionError(f"the daemon was not at work within {DEADLINE_S} s")


def test_up_tells_every_address_and_each_answers(up: str, home: Path) -> None:
    """Services directly, the link through its proxy, Airflow with its login, the database without its password."""
    status = status_of(home)
    assert {each.name: each.state for each in status.services} == dict.fromkeys(("db", "airflow", "client"), "running")
    ports = {each.name: {port.port: port.address for port in each.ports} for each in status.services}
    (link,) = status.links
    airflow, database = status.access
    told = {link.address, ports["airflow"][8080], ports["db"][5432]}
    assert addresses_in(up) == told
    for address in (link.address, ports["airflow"][8080]):
        assert httpx.get(f"http://{address}/api/v1/health", trust_env=False).status_code == 200
    assert (airflow.what, airflow.address) == ("Airflow", f"http://{ports['airflow'][8080]}")
    assert (airflow.user, airflow.password_from) == ("desk", "AIRFLOW_PASSWORD")
    assert (database.address, database.user) == (f"postgresql://{ports['db'][5432]}/desk", "desk")
    line = COMPOSE.splitlines().index(next(each for each in COMPOSE.splitlines() if "database:" in each)) + 1
    assert database.password_from == f"{home / STACK}:{line}: x-harness.adapters.database.dsn"
    with psycopg.connect(database.address, user=database.user, password=DATABASE_PASSWORD) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_secrets_are_named_and_never_shown(up: str, home: Path) -> None:
    """Each variable is told with where its value comes from; neither a given value nor a made-up one is printed."""
    said = run_harness("status", "--json", cwd=home).stdout
    assert status_of(home).secrets == {"AIRFLOW_PASSWORD": Origin.MADE_UP, "OTHER_SECRET": Origin.ENVIRONMENT}
    assert "OTHER_SECRET      from the environment" in up
    assert "set AIRFLOW_PASSWORD before `harness up`" in up
    for secret in (GIVEN_SECRET, DATABASE_PASSWORD):
        assert secret not in up + said


def test_status_shows_again_what_up_has_told(up: str, home: Path) -> None:
    """The same addresses under the same names, since when the stack is up, and that it waits for work."""
    again = run_harness("status", cwd=home).stdout
    assert addresses_in(again) == addresses_in(up)
    assert "client -> airflow:8080" in again
    assert re.search(r"up since  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+ (s|min)\)", again)
    assert "doing     nothing" in again
    assert f"{home / STACK}, as local processes" in again


def test_up_again_tells_the_same(up: str, home: Path) -> None:
    """A stack that is up already is no error, and no second one is started."""
    again = run_harness("up", cwd=home)
    assert again.returncode == 0, again.stderr
    assert "the stack is up already" in again.stdout
    assert addresses_in(again.stdout) == addresses_in(up)


def test_status_names_the_drill_that_runs(home: Path, daemon: DaemonState) -> None:
    """A drill on the running stack, from another folder: it is seen at work, and its report is where it was wanted."""
    elsewhere = home / "scenarios"
    drill = start_harness("drill", "calm", "--stack", f"../{STACK}", "--reports", "here", "--json", cwd=elsewhere)
    work = wait_for_work(daemon, drill)
    assert (work.what, work.name) == ("drill", "calm")
    said, told = drill.communicate(timeout=DEADLINE_S)
    assert drill.returncode == 0, told
    assert "ready in" not in told  # no stack was started for it
    (report,) = (elsewhere / "here").iterdir()
    assert json.loads((report / "verdict.json").read_text()) == json.loads(said)
    assert (report / "calm" / "history.jsonl").exists()
    assert status_of(home).work is None


def test_load_runs_on_the_stack_that_is_up(home: Path, daemon: DaemonState) -> None:
    """No other stack is started; a drill that is asked for meanwhile is told what the daemon does."""
    load = start_harness("load", "--runs", "4", "--json", cwd=home)
    work = wait_for_work(daemon, load)
    assert (work.what, work.step) == ("load", "run 1 of 4")
    with pytest.raises(HarnessError, match=r"the running stack is busy \(load, run \d of 4\): wait for its end"):
        asyncio.run(drill_on(daemon, [CALM], seed=1, directory=home / "never", progress=QUIET))
    said, told = load.communicate(timeout=DEADLINE_S)
    assert load.returncode == 0, told
    result = LoadDocument.model_validate_json(said)
    assert (result.met, result.succeeded, result.runs) == (True, 4, 4)
    assert "ready in" not in told
    (report,) = {path.parent for path in (home / "reports").glob("*/load.json")}
    assert json.loads((report / "load.json").read_text()) == json.loads(said)


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("words", [("load", "--runs", "1"), ("drill", "calm"), ("up",)])
def test_stack_of_another_description_is_refused(home: Path, words: tuple[str, ...]) -> None:
    """Once the compose file has changed, nothing is done on what was made from the old one."""
    (home / STACK).write_text(COMPOSE + "# another\n")
    try:
        done = run_harness(*words, cwd=home)
    finally:
        (home / STACK).write_text(COMPOSE)
    assert done.returncode == 2, done.stderr
    assert "the running stack was made from another description: `harness down` first" in done.stderr


def test_status_without_a_stack_is_an_answer(tmp_path: Path) -> None:
    """As with `docker compose ps`, that nothing is up is no error."""
    (tmp_path / STACK).write_text(COMPOSE)
    plain, as_json = run_harness("status", cwd=tmp_path), run_harness("status", "--json", cwd=tmp_path)
    assert (plain.returncode, as_json.returncode) == (0, 0)
    assert plain.stdout == f" no stack of {STACK} is up: `harness up` starts it\n"
    assert json.loads(as_json.stdout) == {"up": False}
