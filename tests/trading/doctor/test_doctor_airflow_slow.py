"""The doctor's lines about Airflow, and what it finds where the tasks run, with a real Airflow."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.airflow.parts import DEADLINE_S
from tests.postgres.server import launch
from tests.trading.doctor.doctors_airflow import DoctorsAirflow
from tests.trading.doctor.examining import finding_of
from tests.trading.parts import Parts
from tests.trading.process import free_port
from trading.doctor.checks.workers import DAG_ID
from trading.doctor.examination import examine
from trading.doctor.finding import Finding, Verdict
from trading.doctor.registry import CHECKS
from trading.doctor.surroundings import Surroundings
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]
_PASSWORD = "admin-for-tests"  # noqa: S105 - of a throw-away server


@pytest.fixture(scope="module")
def airflow(parts: Parts, starts_a_stack: None) -> Iterator[DoctorsAirflow]:
    """Migrated database, api-server, scheduler and dag-processor, which knows both DAGs of the workflow."""
    folder = Path(tempfile.mkdtemp(prefix="doctor-test-"))
    # As root PostgreSQL runs as another user, who has to get through.
    folder.chmod(0o711)
    postgres = launch(folder, folder / "data")
    made = DoctorsAirflow(folder, postgres.port)
    made.settings = {
        "BACKEND_API_URL": parts.backend_url,
        "DATABASE_URL": parts.database_url,
        "IBKR_PORT": str(parts.gateway_port),
        "ARTIFACT_SPOOL_DIR": str(folder / "spool"),
    }
    try:
        postgres.connect()
        assert made.start("migrate").wait(timeout=DEADLINE_S) == 0, made.log("migrate").read_text()[-2000:]
        del made.running["migrate"]
        made.start("api-server", "--port", str(made.port))
        made.start("scheduler")
        made.start("dag-processor")
        made.wait_for("api-server", lambda: made.serves("/api/v2/version"))
        made.wait_for("the doctor's DAG", lambda: made.call("GET", f"/dags/{DAG_ID}").is_success)
        made.wait_for("the workflow's", lambda: made.call("GET", "/dags/ibkr_trading_signal_workflow").is_success)
        yield made
    finally:
        for part in list(made.running):
            made.end(part, signal.SIGKILL)
        postgres.end(signal.SIGTERM)
        shutil.rmtree(folder)


@pytest.fixture
def asked(airflow: DoctorsAirflow, set_up: SetUp) -> DoctorsAirflow:
    """Airflow, with the doctor's settings for its API."""
    set_up(airflow_api_url=airflow.url, airflow_api_password=_PASSWORD)
    return airflow


def runs(airflow: DoctorsAirflow) -> int:
    """How many runs of the doctor's DAG there are."""
    count: int = airflow.call("GET", f"/dags/{DAG_ID}/dagRuns").json()["total_entries"]
    return count


def workers_within(deadline_s: float) -> Finding:
    """What the line about workers finds when it may take so long."""
    (check,) = [replace(check, deadline_s=deadline_s) for check in CHECKS if check.name == "workers"]
    (line,) = asyncio.run(examine([check], Surroundings.read(deadline_s=deadline_s)))
    return line.finding


def test_airflow_that_is_whole_passes(asked: DoctorsAirflow) -> None:
    """Its parts are alive and its DAGs imported; a worker sees backend, database, gateway and spool as we do."""
    asked.wait_for("healthy parts", lambda: finding_of("Airflow's parts").verdict is Verdict.PASS)
    assert finding_of("DAG imports").verdict is Verdict.PASS
    found = finding_of("workers")
    assert found.verdict is Verdict.PASS, found
    assert [line.split(":")[0] for line in found.detail.splitlines()[1:]] == [
        check.name for check in CHECKS if check.on_workers
    ]
    assert runs(asked) == 0


def test_airflow_that_does_not_know_us_fails(asked: DoctorsAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password: the fix names the settings, and the password is not shown."""
    monkeypatch.setenv("AIRFLOW_API_PASSWORD", "wrong-password")
    for name in ("DAG imports", "workers"):
        found = finding_of(name)
        assert found.verdict is Verdict.FAIL
        assert "401" in found.detail
        assert "AIRFLOW_API_PASSWORD" in found.fix
        assert "wrong-password" not in repr(found)


def test_worker_that_cannot_reach_the_backend_fails_although_we_can(asked: DoctorsAirflow, parts: Parts) -> None:
    """The workers' own settings count: there the backend is refused, here it is ready."""
    asked.restart("scheduler", BACKEND_API_URL=f"http://127.0.0.1:{free_port()}")
    assert finding_of("backend").verdict is Verdict.PASS
    found = finding_of("workers")
    assert found.verdict is Verdict.FAIL
    lines = {line.split(":")[0]: line for line in found.detail.splitlines()[1:]}
    assert "fail" in lines["backend"]
    assert "refused" in lines["backend"]
    assert "pass" in lines["gateway"]
    assert "backend: start the backend, or set BACKEND_API_URL" in found.fix
    asked.restart("scheduler", BACKEND_API_URL=parts.backend_url)


def test_dag_that_is_paused_is_told(asked: DoctorsAirflow) -> None:
    """Nothing runs by itself, or the doctor's own run would wait for ever."""
    for dag_id, name, verdict in (
        ("ibkr_trading_signal_workflow", "DAG imports", Verdict.WARN),
        (DAG_ID, "workers", Verdict.FAIL),
    ):
        asked.call("PATCH", f"/dags/{dag_id}", {"is_paused": True}).raise_for_status()
        found = finding_of(name)
        asked.call("PATCH", f"/dags/{dag_id}", {"is_paused": False}).raise_for_status()
        assert found.verdict is verdict
        assert found.fix == f"airflow dags unpause {dag_id}"


def test_dag_file_that_cannot_be_imported_fails(asked: DoctorsAirflow) -> None:
    """The file and the last line of its traceback."""
    broken = asked.folder / "dags" / "broken.py"
    broken.write_text("import airflow  # a dag\nimport nowhere_to_be_found\n")
    asked.wait_for("the import error", lambda: finding_of("DAG imports").verdict is Verdict.FAIL)
    found = finding_of("DAG imports")
    assert "broken.py: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in found.detail
    broken.unlink()
    asked.wait_for("the end of the import error", lambda: finding_of("DAG imports").verdict is Verdict.PASS)


def test_scheduler_that_is_dead_fails(asked: DoctorsAirflow) -> None:
    """Airflow itself says so; the run that would look around never starts, in time, and is taken back."""
    asked.end("scheduler", signal.SIGKILL)
    asked.wait_for("an unhealthy scheduler", lambda: finding_of("Airflow's parts").verdict is Verdict.FAIL)
    assert "scheduler is unhealthy" in finding_of("Airflow's parts").detail
    found = workers_within(3)
    assert found.verdict is Verdict.FAIL
    assert "no answer within 3 s" in found.detail
    assert "scheduler" in found.fix
    assert runs(asked) == 0
    asked.start("scheduler")
    asked.wait_for("a healthy scheduler", lambda: finding_of("Airflow's parts").verdict is Verdict.PASS)


def test_api_server_that_is_no_airflow_fails(parts: Parts, set_up: SetUp) -> None:
    """Something else answers there."""
    set_up(airflow_api_url=parts.notifications)
    for name in ("Airflow's parts", "DAG imports", "workers"):
        found = finding_of(name)
        assert found.verdict is Verdict.FAIL
        assert "AIRFLOW_API_URL must name an Airflow 3" in found.fix
