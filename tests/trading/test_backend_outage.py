"""The artifacts API without its database, or with one that is slow: said in time, by every route, and not for ever."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.trading.conftest import url_of
from tests.trading.parts import Parts, new_run
from tests.trading.process import Process, answers, free_port, running, running_backend, wait_until
from tests.trading.relay import relay_to

PATH = "/api/artifacts/"
IN_TIME_S = 2.0
BODY: dict[str, Any] = {"name": "one", "type": "chart"}
WRITES: Sequence[tuple[str, str, Any]] = (
    ("POST", PATH, BODY),
    ("POST", f"{PATH}batch", {"artifacts": [{"idempotency_key": "k", "artifact": BODY}]}),
    ("POST", f"{PATH}probe", None),
    ("PATCH", f"{PATH}1", {"action": "BUY"}),
    ("DELETE", f"{PATH}{2**62}", None),
)
VIEWS: Sequence[tuple[str, str, Any]] = (
    ("GET", PATH, None),
    ("GET", f"{PATH}1", None),
    ("GET", f"{PATH}1/image", None),
    ("GET", f"{PATH}1/download", None),
    ("GET", f"{PATH}stats/summary", None),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a request was answered.

    Args:
        route: its method and path.
        status: the answer's.
        retry_after: the header of that name.
        took_s: seconds.
    """

    route: str
    status: int
    retry_after: str | None
    took_s: float


def ask(url: str, requests: Sequence[tuple[str, str, Any]]) -> list[Answered]:
    """Send requests, all at once."""
    # One client for all: making one takes longer than most requests.
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:

        def one(request: tuple[str, str, Any]) -> Answered:
            method, path, body = request
            started_s = time.monotonic()
            answer = client.request(method, path, json=body)
            took_s = time.monotonic() - started_s
            return Answered(f"{method} {path}", answer.status_code, answer.headers.get("Retry-After"), took_s)

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(one, requests))


def require_refusals(url: str, requests: Sequence[tuple[str, str, Any]] = (*WRITES, *VIEWS)) -> None:
    """Require that each request is answered 503 in time, with when to come again."""
    answered = ask(url, requests)
    assert [each for each in answered if (each.status, each.retry_after) != (503, "1")] == []
    assert [each for each in answered if each.took_s > IN_TIME_S] == []


def is_whole(url: str) -> bool:
    """Whether every request is answered as it is with a database that works."""
    statuses = {each.status for each in ask(url, (*WRITES, *VIEWS))}
    return answers(url + "/health/ready") and statuses <= {200, 201, 204, 404}


@dataclass(slots=True)
class Server:
    """A PostgreSQL server of a test's own, which can be ended and started."""

    folder: Path
    port: int
    process: Process | None = None

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """Have it run for as long as the block lasts."""
        environment = {"POSTGRES_USER": "ibkr_user", "POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "ibkr_trading"}
        arguments = ["-m", "fixtures.postgres", "--port", str(self.port), "--data", str(self.folder / "data")]
        with running(arguments, self.folder / "log", environment) as process:
            process.require(self.accepts, "Postgres accepts connections")
            yield

    def accepts(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(url_of(self.port), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def take_connections(self, taken: contextlib.ExitStack) -> None:
        """Open connections until there are none left."""
        while True:
            taken.enter_context(psycopg.connect(url_of(self.port)))


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that does not run yet."""
    # As root, the server drops to a user who cannot walk into pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="trading-tests-"))
    folder.chmod(0o755)
    yield Server(folder, free_port())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own(parts: Parts) -> Iterator[str]:
    """The address of a database of the test's own, on the shared server."""
    name = f"outage_{secrets.token_hex(8)}"
    with psycopg.connect(parts.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield url_of(parts.database_port, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_backend_started_before_its_database_recovers(own: str, parts: Parts, tmp_path: Path) -> None:
    """It lives, says in time what is missing, and migrates and serves as soon as the database is there."""
    port = free_port()
    with running_backend(own.replace(str(parts.database_port), str(port)), tmp_path / "log", ready=False) as url:
        health = httpx.get(url + "/health/ready")
        assert health.status_code == 503
        assert set(health.json()["failed"]) == {"database", "schema"}
        require_refusals(url)
        with relay_to(parts.database_port, port=port):
            wait_until(lambda: is_whole(url), "the backend is whole")


def test_backend_serves_again_when_its_database_was_restarted(server: Server, tmp_path: Path) -> None:
    """A stopped server costs answers, in time and by every route; started again, it costs none."""
    with contextlib.ExitStack() as backend:
        with server.up():
            url = backend.enter_context(running_backend(url_of(server.port), tmp_path / "log"))
            assert is_whole(url)
        require_refusals(url)
        health = httpx.get(url + "/health/ready")
        assert (health.status_code, set(health.json()["failed"])) == (503, {"database"})
        with server.up():
            wait_until(lambda: is_whole(url), "the backend is whole")
            assert {each.status for each in ask(url, [("POST", PATH, BODY)] * 20)} == {201}
        # No client asks while it is away this time: not one connection of the server's second life is used again.
        with server.up():
            assert {each.status for each in ask(url, [("POST", PATH, BODY)] * 20)} == {201}


def test_backend_says_in_time_that_its_database_is_silent(own: str, parts: Parts, tmp_path: Path) -> None:
    """A database that stops answering costs a request two seconds, not for ever, and is used again when it is back."""
    with (
        relay_to(parts.database_port) as relay,
        running_backend(own.replace(str(parts.database_port), str(relay.port)), tmp_path / "log") as url,
    ):
        assert is_whole(url)
        relay.stall()
        require_refusals(url)
        started_s = time.monotonic()
        health = httpx.get(url + "/health/ready", timeout=5)
        assert time.monotonic() - started_s < 1.2
        assert (health.status_code, set(health.json()["failed"])) == (503, {"database"})
        assert httpx.get(url + "/health/live", timeout=1).status_code == 200
        # The connections that were open stay silent, as they do after a real outage.
        relay.cut(refuse=True)
        relay.restore()
        wait_until(lambda: is_whole(url), "the backend is whole")
    assert "attempt_failed target=postgres cause=timeout what='store artifacts' error='no answer within" in (
        (tmp_path / "log").read_text()
    )


def test_backend_does_not_wait_for_a_lock(own: str, tmp_path: Path) -> None:
    """With its table locked for good, every route says so in time; what it gave up is not stored when the lock goes."""
    with (
        running_backend(own, tmp_path / "log") as url,
        psycopg.connect(own) as locking,
        psycopg.connect(own, autocommit=True) as looking,
    ):
        locking.execute("LOCK TABLE artifacts IN ACCESS EXCLUSIVE MODE")
        # More than there are connections: those that get none are refused, too.
        require_refusals(url, [*[("POST", PATH, BODY)] * 20, *WRITES, *VIEWS])
        assert answers(url + "/health/ready")
        waiting = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        assert looking.execute(waiting).fetchall() == []
        locking.rollback()
        assert looking.execute("SELECT count(*) FROM artifacts").fetchone() == (0,)
        assert is_whole(url)


def test_backend_shows_what_it_cannot_change(own: str, tmp_path: Path) -> None:
    """With writes held up by a lock, views are answered as ever: neither has the other's connections."""
    with running_backend(own, tmp_path / "log") as url, psycopg.connect(own) as locking:
        assert is_whole(url)
        locking.execute("LOCK TABLE artifacts IN SHARE MODE")
        with ThreadPoolExecutor(1) as pool:
            held_up = pool.submit(require_refusals, url, [*WRITES[:3]] * 10)
            while not held_up.done():
                assert {(each.status, each.took_s < 1) for each in ask(url, VIEWS[:2])} <= {(200, True), (404, True)}
            held_up.result()


def test_backend_survives_a_server_without_a_free_connection(server: Server, tmp_path: Path) -> None:
    """When others have taken all of the server's connections, it says so in time, and serves when they leave."""
    with server.up(), running_backend(url_of(server.port), tmp_path / "log") as url:
        assert answers(url + "/health/ready")
        with contextlib.ExitStack() as others:
            with pytest.raises(psycopg.OperationalError, match="too many clients"):
                server.take_connections(others)
            require_refusals(url)
        wait_until(lambda: is_whole(url), "the backend is whole")


def test_backend_makes_its_tables_again(own: str, tmp_path: Path) -> None:
    """A database that was replaced by an empty one is no 500: it is said, migrated, and served."""
    with running_backend(own, tmp_path / "log") as url, psycopg.connect(own, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        require_refusals(url, WRITES[:1])
        wait_until(lambda: ask(url, WRITES[:1])[0].status == 201, "an artifact is stored")
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        wait_until(lambda: answers(url + "/health/ready"), "the backend is ready")


def test_ready_names_a_schema_that_is_not_at_head(own: str, tmp_path: Path) -> None:
    """A schema of another version is no schema of ours."""
    with running_backend(own, tmp_path / "log") as url, psycopg.connect(own, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
        for path in ("/health/ready", "/health"):
            health = httpx.get(url + path)
            assert (health.status_code, set(health.json()["failed"])) == (503, {"schema"})
            assert "from the future" in health.json()["failed"]["schema"]


def test_backend_with_a_read_only_database_stores_nothing_and_shows_all(own: str, tmp_path: Path) -> None:
    """A server that has become a standby refuses writes: 503, for the next one may be the primary."""
    with psycopg.connect(own, autocommit=True) as connection, running_backend(own, tmp_path / "log") as url:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        require_refusals(url, WRITES[:3])
        assert {each.status for each in ask(url, VIEWS[:1])} == {200}


def test_probe_leaves_nothing_behind(parts: Parts) -> None:
    """It says how long a row took, and no row is there."""
    before = parts.rows("SELECT count(*) FROM artifacts")
    answer = httpx.post(f"{parts.backend_url}{PATH}probe")
    assert answer.status_code == 200
    assert answer.json()["writable"] is True
    assert 0 < answer.json()["elapsed_ms"] < 2000
    assert parts.rows("SELECT count(*) FROM artifacts") == before


def test_ready_names_a_folder_of_charts_that_cannot_be_read(parts: Parts, tmp_path: Path) -> None:
    """A folder that no chart has made yet is no failure; what is no folder is, and the log says so."""
    charts = tmp_path / "charts"
    with running_backend(parts.database_url, tmp_path / "log", {"CHART_DIR": str(charts)}) as url:
        assert httpx.get(url + "/health/ready").status_code == 200
        charts.write_text("no folder")
        health = httpx.get(url + "/health/ready")
        assert (health.status_code, set(health.json()["failed"])) == (503, {"charts"})
        assert "not_ready failed={'charts':" in (tmp_path / "log").read_text()


def test_backend_does_not_wait_for_a_chart(parts: Parts, tmp_path: Path) -> None:
    """A chart whose file system hangs is refused in time, and holds up no other request: not even many of them do."""
    # Reading a pipe that no process writes to hangs as reading from a lost file server does.
    os.mkfifo(tmp_path / "hangs.png")
    with running_backend(parts.database_url, tmp_path / "log", {"CHART_DIR": str(tmp_path)}) as url:
        made = httpx.post(url + PATH, json=BODY | {"execution_id": new_run(), "image_path": "hangs.png"}).json()
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(require_refusals, url, [("GET", f"{PATH}{made['id']}/image", None)] * 10)
            while not slow.done():
                assert {(each.status, each.took_s < 1) for each in ask(url, WRITES[:1])} == {(201, True)}
            slow.result()
        health = httpx.get(url + "/health/ready")
        assert (health.status_code, set(health.json()["failed"])) == (503, {"charts"})
        assert httpx.get(url + "/health/live", timeout=1).status_code == 200
