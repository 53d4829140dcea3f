"""A PostgreSQL process under test, and folders that it can reach when the tests run as root."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.server import Postgres, Start, launch


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="postgres-test-"))
    # As root the server runs as another user, who has to get through.
    folder.chmod(0o711)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user can pass through; pytest's own is closed to all but its owner."""
    path = _open_folder()
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """The data directory of a stopped server that was initialised once."""
    path = _open_folder()
    server = launch(path, path / "template")
    try:
        server.connect()
        assert server.end(signal.SIGTERM) == 0
        yield server.data
    finally:
        server.end(signal.SIGTERM)
        shutil.rmtree(path)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start servers, which end with the test."""
    started: list[Postgres] = []

    def start_one(data: Path, *options: str, **more: Any) -> Postgres:
        server = launch(folder, data, *options, **more)
        started.append(server)
        return server

    yield start_one
    for server in started:
        # Not killed: its interlock in System V shared memory would outlive the data directory.
        server.end(signal.SIGTERM)
