"""The parts of an Airflow on one database, as a test sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.postgres.server import DATABASE, PASSWORD, USER, free_port

_REPOSITORY = Path(__file__).parents[2]
# Four times what a busy machine with two cores takes.
DEADLINE_S = 120.0
_ADMIN_PASSWORD = "admin-for-tests"  # noqa: S105 - of a throw-away server

_DAGS = """
import os
import time

from airflow.sdk import dag, task


@dag(schedule=None)
def trivial():
    @task
    def one():
        print("one")

    @task
    def two():
        print("two")

    one() >> two()


@dag(schedule=None)
def endless():
    @task
    def sleep(**context):
        with open(os.path.join(os.environ["MARKS"], context["run_id"]), "w") as mark:
            mark.write(str(os.getpid()))
        time.sleep(600)

    sleep()


trivial()
endless()
"""


@dataclass
class Parts:
    """Starts parts of Airflow, and talks to its API."""

    folder: Path
    database_port: int
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _token: str = ""

    def __post_init__(self) -> None:
        """Write the DAGs."""
        for name in ("dags", "home", "marks"):
            (self.folder / name).mkdir()
        (self.folder / "dags" / "for_tests.py").write_text(_DAGS)

    def start(self, part: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a part in a session of its own, with its output in a file."""
        with self.log(part).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "fixtures.airflow", part, *options],
                env=self._environment(),
                cwd=_REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[part] = process
        return process

    def end(self, part: str, number: signal.Signals) -> int:
        """Signal a part's process group, and wait for its end."""
        process = self.running.pop(part)
        if process.poll() is None:
            os.killpg(process.pid, number)
        return process.wait(timeout=15)

    def log(self, part: str) -> Path:
        """Where a part's output goes."""
        return self.folder / f"{part}.log"

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        """Poll until it holds; the error shows the ends of all logs."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            ended = [part for part, process in self.running.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(f"== {log.name}\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
                raise AssertionError(f"waited for {what}; ended meanwhile: {ended}\n{logs}")
            time.sleep(0.05)

    def serves(self, path: str) -> bool:
        """Whether a GET is answered with 200."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Call the REST API as the admin."""
        server = f"http://127.0.0.1:{self.port}"
        if not self._token:
            login = {"username": "admin", "password": _ADMIN_PASSWORD}
            self._token = httpx.post(f"{server}/auth/token", json=login, timeout=30).json()["access_token"]
        headers = {"authorization": f"Bearer {self._token}"}
        return httpx.request(method, f"{server}/api/v2{path}", json=body, headers=headers, timeout=30)

    def trigger(self, dag: str, run: str) -> None:
        """Start a run as soon as the DAG is known."""
        body: dict[str, Any] = {"logical_date": None, "dag_run_id": run, "conf": {}}
        self.wait_for(f"DAG {dag}", lambda: self.call("POST", f"/dags/{dag}/dagRuns", body).is_success)

    def mark(self, run: str) -> Path:
        """The file into which a run of ``endless`` writes its process's number."""
        return self.folder / "marks" / run

    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        database = f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{self.database_port}/{DATABASE}"
        settings = {
            "API__SECRET_KEY": "s" * 64,
            "API_AUTH__JWT_SECRET": "j" * 64,
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__LOAD_EXAMPLES": "false",
            "CORE__PARALLELISM": "2",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
            "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "DAG_PROCESSOR__REFRESH_INTERVAL": "1",
            "DATABASE__CHECK_MIGRATIONS": "false",
            "DATABASE__SQL_ALCHEMY_CONN": database,
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return inherited | {
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_ADMIN_PASSWORD": _ADMIN_PASSWORD,
            "MARKS": str(self.folder / "marks"),
            "SPT_NOENV": "1",
            **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        }
