"""A witness that goes away before it is heard is named as what it is, and makes the drill INCONCLUSIVE."""

from __future__ import annotations

import re
import signal

import psutil
import pytest

from tests.drill.small_stack import COMPOSE, PROJECT, SmallStack, finish

PASSWORD = "opensesame"  # noqa: S105 - of a database on loopback
DATABASE = f"""\
services:
  db:
    environment: {{POSTGRES_USER: desk, POSTGRES_PASSWORD: {PASSWORD}, POSTGRES_DB: desk}}
    x-harness:
      run: [python, -m, fixtures.postgres, --port, "{{port:5432}}", --data, "{{data}}/pg"]
      environment: {{PYTHONPATH: "{PROJECT}"}}
      ready: {{sql: "postgresql://desk:{PASSWORD}@db:5432/desk"}}
      ready_within_s: 60
"""
SQL = f"""\
    database: {{dsn: "postgresql://desk:{PASSWORD}@db:5432/desk"}}
    operations: {{sql: "SELECT 'one' AS id", id: id, within_s: 20}}
"""
SINK = f"""\
services:
  sink:
    x-harness:
      run: [python, -m, fixtures.notification_sink, --port, "{{port:8025}}"]
      environment: {{PYTHONPATH: "{PROJECT}"}}
      ready: {{http: "http://sink:8025/health"}}
      ready_within_s: 30
"""


def with_services(services: str, adapters: str) -> str:
    """The small stack with further services, and with what is asked of them."""
    compose = COMPOSE.replace("services:\n", services, 1)
    kept = [
        line for line in compose.splitlines(keepends=True) if not ("sql:" in adapters and "    operations:" in line)
    ]
    return "".join(kept) + adapters


def process_of(service: str, harness: int) -> psutil.Process:
    """The process of a service among the children of a harness: the first that it started."""
    children = psutil.Process(harness).children(recursive=True)
    return next(each for each in children if each.environ().get("HARNESS_SERVICE") == service)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: number.name)
def test_database_that_is_gone_in_the_final_reads_is_named(small_stack: SmallStack, number: signal.Signals) -> None:
    """It is told as the database's, and neither as Airflow's nor as a fault that was not there."""
    small_stack.write(compose=with_services(DATABASE, SQL))
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"phase_began","phase":"reads"', harness)
    database = process_of("db", harness.pid)
    for process in [database, *database.children(recursive=True)]:
        process.send_signal(number)
    code, said = finish(harness)
    assert code == 3, said
    assert re.search(r"found .*(Postgres|database|the query for)", said), said
    assert "Airflow" not in said
    assert "did not hit" not in said
    assert "Traceback" not in said


def test_sink_that_is_gone_is_named(small_stack: SmallStack) -> None:
    """What the sink would have told is not known; that it said nothing is no news of the system."""
    small_stack.write(compose=with_services(SINK, '    notifications: {url: "http://sink:8025"}\n'))
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    process_of("sink", harness.pid).kill()
    code, said = finish(harness)
    assert code == 3, said
    assert "INCONCLUSIVE  cut: controlled: a service ended by itself" in said
    assert "Traceback" not in said
