"""A small stack, left up by `harness up` for all tests of a file: a database, an Airflow stand-in and a client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.runtime.cache import VARIABLE, cache_directory

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 180
# What a test must never find in what a command prints.
DATABASE_PASSWORD = "opensesame"  # noqa: S105 - of a database on loopback
GIVEN_SECRET = "given-by-the-user"  # noqa: S105 - never used anywhere
COMPOSE = f"""\
services:
  db:
    environment: {{POSTGRES_USER: desk, POSTGRES_PASSWORD: {DATABASE_PASSWORD}, POSTGRES_DB: desk}}
    x-harness:
      run: [python, -m, fixtures.postgres, --port, "{{port:5432}}", --data, "{{data}}/pg", --init-dir, "{{project}}/sql"]
      environment: {{PYTHONPATH: "{PROJECT}"}}
      ready: {{sql: "postgresql://desk:{DATABASE_PASSWORD}@db:5432/desk"}}
  airflow:
    environment:
      DATABASE_URL: postgresql://desk:{DATABASE_PASSWORD}@db:5432/desk
      DESK_PASSWORD: ${{AIRFLOW_PASSWORD:-none}}
    x-harness:
      run: [python, "{{project}}/desk_airflow.py", "{{port:8080}}", "1.5"]
      ready: {{http: "http://airflow:8080/api/v1/health"}}
  client:
    environment: {{AIRFLOW_URL: "http://airflow:8080"}}
    x-harness:
      run: [python, -u, -c, "import time; print('ready'); time.sleep(600)"]
      ready: {{log: ready}}
x-harness:
  links: ["client -> airflow:8080"]
  link_probes: {{"airflow:8080": http}}
  secrets: [AIRFLOW_PASSWORD, OTHER_SECRET]
  adapters:
    airflow:
      url: http://airflow:8080
      tasks_run_in: client
      api: v1
      username: desk
      password: ${{AIRFLOW_PASSWORD}}
      dag: desk
    database: {{dsn: "postgresql://desk:{DATABASE_PASSWORD}@db:5432/desk"}}
    outcome: {{sql: "SELECT execution_id, outcome, reasons FROM runs"}}
"""  # noqa: S608 - a compose file
SQL = "CREATE TABLE runs (execution_id text, outcome text, reasons text);\n"
SCENARIO = "name: calm\nabout: Nothing goes wrong.\npromises: [steady]\n"
Harness = Callable[..., "subprocess.CompletedProcess[str]"]


def start_harness(*words: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a command of the harness in a directory."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=cwd,
        env={**environment, "PYTHONPATH": path, VARIABLE: str(cache_directory(PROJECT)), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_harness(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the harness in a directory, to its end."""
    process = start_harness(*words, cwd=cwd, **variables)
    said, told = process.communicate(timeout=DEADLINE_S)
    return subprocess.CompletedProcess(words, process.returncode, said, told)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stack's files, which Postgres's own user may enter."""
    home = tmp_path_factory.mktemp("desk")
    (home / "sql").mkdir()
    (home / "scenarios").mkdir()
    (home / "docker-compose.test.yml").write_text(COMPOSE)
    (home / "sql" / "01.sql").write_text(SQL)
    (home / "scenarios" / "calm.yaml").write_text(SCENARIO)
    shutil.copy(Path(__file__).with_name("desk_airflow.py"), home)
    return home


@pytest.fixture(scope="module")
def up(home: Path, starts_a_stack: None) -> Iterator[str]:
    """The stack, up for all tests of the file: what `harness up` has printed."""
    done = run_harness("up", cwd=home, OTHER_SECRET=GIVEN_SECRET)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield done.stdout
    finally:
        down = run_harness("down", cwd=home)
    assert down.returncode == 0, down.stdout + down.stderr


def addresses_in(text: str) -> set[str]:
    """Every address on loopback that a text names."""
    return set(re.findall(r"127\.0\.0\.1:\d+", text))
