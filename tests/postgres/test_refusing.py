"""What the stand-in cannot do, it says in one line, with exit code 2."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from fixtures.postgres import account, binaries
from fixtures.postgres.errors import CannotServe
from fixtures.postgres.settings import Credentials
from tests.postgres.server import Postgres, Start

_ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


def _only_line(server: Postgres) -> str:
    assert server.process.wait(timeout=20) == 2
    lines = server.log.read_text().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_port_in_use_is_named(start: Start, folder: Path, template: Path) -> None:
    """A port that another process holds is not fought over."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = _only_line(start(folder / "data", "--template", str(template), port=port))
    assert line == f"fixtures.postgres: port {port} of 127.0.0.1 is in use: choose another --port"
    assert not (folder / "data").exists()


def test_data_of_another_version_is_named(start: Start, folder: Path) -> None:
    """A data directory of an older PostgreSQL is left alone."""
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("15\n")
    assert "is of PostgreSQL 15, this is PostgreSQL 18" in _only_line(start(folder / "data"))


def test_foreign_folder_is_left_alone(start: Start, folder: Path) -> None:
    """A folder with other things in it is neither initialised nor chowned."""
    (folder / "data").mkdir()
    (folder / "data" / "letter.txt").write_text("dear")
    assert "neither empty nor a PostgreSQL data directory" in _only_line(start(folder / "data"))
    assert (folder / "data" / "letter.txt").read_text() == "dear"


def test_running_servers_data_is_not_taken(start: Start, folder: Path, template: Path) -> None:
    """A second server on the same data directory is refused, and the first goes on."""
    first = start(folder / "data", "--template", str(template))
    connection = first.connect()
    second = start(folder / "data")
    assert second.process.wait(timeout=20) == 2
    assert "is in use by process" in second.log.read_text()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_running_servers_data_is_no_template(start: Start, folder: Path, template: Path) -> None:
    """Copying the files of a running server would give a broken copy."""
    live = start(folder / "live", "--template", str(template))
    live.connect()
    line = _only_line(start(folder / "data", "--template", str(live.data)))
    assert "belongs to a server that runs or was killed" in line


def test_missing_password_is_named(start: Start, folder: Path) -> None:
    """Without a password a new data directory is not made, as with the image."""
    assert "set POSTGRES_PASSWORD" in _only_line(start(folder / "data", password=""))


@_ROOT_ONLY
def test_closed_parent_is_named(start: Start, folder: Path, template: Path) -> None:
    """A data directory that the unprivileged user cannot reach is refused with the folder that shuts it out."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    line = _only_line(start(closed / "data", "--template", str(template)))
    assert f"since {closed} shuts it out" in line


@_ROOT_ONLY
def test_programs_in_a_closed_home_are_copied(folder: Path) -> None:
    """A wheel that was installed under a closed home, like root's, still serves the unprivileged user."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.find().folder.parents[1]
    shutil.copytree(package / "pginstall18", closed / package.name / "pginstall18")
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    unreachable = binaries.Binaries(closed / package.name / "pginstall18" / "bin")
    who = account.choose()
    reachable = binaries.within_reach(unreachable, who, beside=folder)
    for program in (reachable.postgres, reachable.initdb):
        assert "18" in who.run([str(program), "--version"]).stdout


def test_password_with_line_break_is_refused() -> None:
    """Of two lines initdb would take the first, and no client could log in with what was given."""
    with pytest.raises(CannotServe, match="line break"):
        Credentials.from_environment({"POSTGRES_PASSWORD": "one\ntwo"})
