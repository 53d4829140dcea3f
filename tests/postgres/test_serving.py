"""The stand-in serves as the official image does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from tests.postgres.server import Start


def test_first_start_runs_scripts_in_order_on_the_named_database(start: Start, folder: Path) -> None:
    """A new data directory gets its user, its database, and the SQL files in the order of their names."""
    scripts = folder / "init"
    scripts.mkdir()
    (scripts / "2.sql").write_text("INSERT INTO step VALUES ('second');")
    (scripts / "1.sql").write_text("CREATE TABLE step (name text); INSERT INTO step VALUES ('first');")
    (scripts / "readme.txt").write_text("not SQL")
    server = start(folder / "data", "--init-dir", str(scripts))
    with server.connect() as connection:
        assert connection.execute("SELECT name FROM step").fetchall() == [("first",), ("second",)]
        assert connection.execute("SELECT current_database(), current_user").fetchone() == ("ibkr_trading", "ibkr_user")
        assert connection.execute("SHOW server_version_num").fetchone() >= ("180000",)  # type: ignore[operator]


def test_failing_script_ends_with_its_name_and_no_data_directory(start: Start, folder: Path) -> None:
    """A script with an error is named in one line, and the next start does not take a half-made data directory."""
    scripts = folder / "init"
    scripts.mkdir()
    (scripts / "broken.sql").write_text("CREATE TABEL orders ();")
    server = start(folder / "data", "--init-dir", str(scripts))
    assert server.process.wait(timeout=20) == 2
    assert "broken.sql failed" in server.log.read_text().splitlines()[-1]
    assert not server.data.exists()


def test_wrong_password_is_refused(start: Start, folder: Path, template: Path) -> None:
    """Logins over TCP are checked, as they are in the image."""
    server = start(folder / "data", "--template", str(template))
    server.connect()
    with pytest.raises(AssertionError, match="password authentication failed"):
        server.connect(password="guessed")  # noqa: S106 - a wrong one


def test_template_is_copied_and_stays_untouched(start: Start, folder: Path, template: Path) -> None:
    """Two servers from one template have their own data."""
    one = start(folder / "one", "--template", str(template))
    two = start(folder / "two", "--template", str(template))
    one.connect().execute("CREATE TABLE mine (id int)")
    assert two.connect().execute("SELECT to_regclass('mine')").fetchone() == (None,)
    assert not (template / "postmaster.pid").exists()


def test_sigterm_does_not_wait_for_clients(start: Start, folder: Path, template: Path) -> None:
    """A shutdown is fast though a client stays connected with a transaction open."""
    server = start(folder / "data", "--template", str(template))
    connection = server.connect()
    connection.autocommit = False
    connection.execute("SELECT 1")
    os.kill(server.process.pid, signal.SIGTERM)
    assert server.process.wait(timeout=5) == 0
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_acknowledged_commit_survives_sigkill(start: Start, folder: Path, template: Path) -> None:
    """What was committed before all processes were killed is there after the next start, without fsync."""
    server = start(folder / "data", "--template", str(template))
    connection = server.connect()
    connection.execute("CREATE TABLE kept (id int)")
    for number in range(200):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
    server.end(signal.SIGKILL)
    again = start(folder / "data", port=server.port)
    assert again.connect().execute("SELECT count(*) FROM kept").fetchone() == (200,)


def test_server_leaves_nothing_in_shared_memory(start: Start, folder: Path, template: Path) -> None:
    """A killed server's shared memory was in its data directory, so that removing that removes all."""
    server = start(folder / "data", "--template", str(template))
    with server.connect() as connection:
        assert connection.execute("SHOW dynamic_shared_memory_type").fetchone() == ("mmap",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)
