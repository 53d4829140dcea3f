"""The storage client while the real backend or its real database is gone: one row at the end, and no task held up."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.trading.artifact_case import replay_all, settings_of, store
from tests.trading.conftest import url_of
from tests.trading.parts import Parts, new_run
from tests.trading.process import Process, answers, free_port, running, wait_until

_TOTAL_S = 4.0
_USER = {"POSTGRES_USER": "ibkr_user", "POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "ibkr_trading"}


class Own:
    """A database server and a backend that a test may take away and bring back.

    Args:
        parts: the running parts, of which these two take the place.
        folder: for logs.
    """

    def __init__(self, parts: Parts, folder: Path) -> None:
        database_port, backend_port = free_port(), free_port()
        url = url_of(database_port)
        self._folder = folder
        # As root, the server drops to a user who cannot walk into pytest's own folders.
        self._data = Path(tempfile.mkdtemp(prefix="trading-tests-"))
        self._data.chmod(0o755)
        self._database = contextlib.ExitStack()
        self._backend = contextlib.ExitStack()
        self.backend_process: Process | None = None
        self.parts = replace(
            parts,
            database_url=url,
            database_port=database_port,
            backend_url=f"http://127.0.0.1:{backend_port}",
        )

    def start_database(self) -> None:
        """Bring the database, and wait until it accepts connections."""
        arguments = [
            "-m",
            "fixtures.postgres",
            "--port",
            str(self.parts.database_port),
            "--data",
            str(self._data / "d"),
        ]
        process = self._database.enter_context(running(arguments, self._folder / "postgres.log", _USER))
        process.require(self._accepts, "Postgres accepts connections")

    def stop_database(self) -> None:
        """Take the database away."""
        self._database.close()

    def start_backend(self) -> None:
        """Bring the backend, and wait until it lives."""
        port = self.parts.backend_url.rsplit(":", 1)[1]
        arguments = ["-m", "uvicorn", "trading.backend.app:create_app", "--factory", "--host", "127.0.0.1"]
        arguments += ["--port", port, "--log-level", "warning"]
        environment = {"DATABASE_URL": self.parts.database_url}
        process = self._backend.enter_context(running(arguments, self._folder / "backend.log", environment))
        process.require(lambda: answers(f"{self.parts.backend_url}/health/live"), "the backend lives")
        self.backend_process = process

    def kill_backend(self) -> None:
        """End the backend at once."""
        assert self.backend_process is not None
        self.backend_process.kill()
        self._backend.close()

    def wait_until_ready(self) -> None:
        """Wait until the backend says that it can store artifacts."""
        wait_until(lambda: answers(f"{self.parts.backend_url}/health/ready"), "the backend is ready", deadline_s=20)

    @contextlib.contextmanager
    def locked(self) -> Iterator[psycopg.Connection]:
        """Keep everybody from the table of artifacts for as long as the block lasts."""
        with psycopg.connect(self.parts.database_url) as connection:
            connection.execute("LOCK TABLE artifacts IN ACCESS EXCLUSIVE MODE")
            yield connection
            connection.rollback()

    def a_statement_waits(self) -> bool:
        """Whether a statement waits for a lock."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~* 'artifacts'"
        return bool(self.parts.rows(waiting))

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.parts.database_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """End both."""
        self._backend.close()
        self._database.close()
        shutil.rmtree(self._data, ignore_errors=True)


@pytest.fixture(scope="module")
def own(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """A database server and a backend of these tests' own, both up."""
    system = Own(parts, tmp_path_factory.mktemp("own"))
    try:
        system.start_database()
        system.start_backend()
        system.wait_until_ready()
        yield system
    finally:
        system.close()


def test_artifact_is_spooled_while_its_table_is_locked_and_stored_once_after(own: Own, tmp_path: Path) -> None:
    """A lock that outlasts the deadline, as one of 45 s does: spooled in time, left there until the lock is gone."""
    run = new_run()
    settings = settings_of(own.parts, tmp_path, artifact_total_s=_TOTAL_S)
    with own.locked():
        case = store(settings, run)
        assert (case.end, case.cause) == ("spooled", "http_5xx")
        assert case.elapsed_s < _TOTAL_S
        assert replay_all(settings, budget_s=0.5).left == 1
    own.wait_until_ready()
    assert replay_all(settings).left == 0
    assert len(own.parts.artifacts(run)) == 1


def test_artifact_is_spooled_without_a_database_and_stored_once_after(own: Own, tmp_path: Path) -> None:
    """The database is stopped and started again: the backend recovers by itself, and the artifact is there once."""
    run = new_run()
    settings = settings_of(own.parts, tmp_path, artifact_total_s=_TOTAL_S)
    own.stop_database()
    try:
        case = store(settings, run)
        assert (case.end, case.cause) == ("spooled", "http_5xx")
        assert case.elapsed_s < _TOTAL_S
        assert replay_all(settings, budget_s=0.5).left == 1
    finally:
        own.start_database()
    own.wait_until_ready()
    assert replay_all(settings).left == 0
    assert len(own.parts.artifacts(run)) == 1
    assert store(settings, run).end == "stored"
    assert len(own.parts.artifacts(run)) == 1


def test_artifact_is_stored_once_though_the_backend_is_killed_over_it(own: Own, tmp_path: Path) -> None:
    """The backend is killed while it waits for the database, and comes back while the client still tries."""
    run = new_run()
    settings = settings_of(own.parts, tmp_path, artifact_attempts=20)
    with ThreadPoolExecutor(1) as pool:
        with own.locked():
            storing = pool.submit(store, settings, run)
            wait_until(own.a_statement_waits, "the backend waits for the lock")
            own.kill_backend()
        own.start_backend()
        case = storing.result(settings.artifact_total_s)
    assert case.elapsed_s < settings.artifact_total_s
    assert replay_all(settings).left == 0
    assert len(own.parts.artifacts(run)) == 1


def test_artifact_is_spooled_without_a_backend_and_stored_once_after(own: Own, tmp_path: Path) -> None:
    """The backend is gone for longer than the client tries."""
    run = new_run()
    settings = settings_of(own.parts, tmp_path)
    own.kill_backend()
    try:
        case = store(settings, run)
    finally:
        own.start_backend()
    assert (case.end, case.cause) == ("spooled", "refused")
    assert case.elapsed_s < settings.artifact_total_s
    own.wait_until_ready()
    assert replay_all(settings).left == 0
    assert len(own.parts.artifacts(run)) == 1
