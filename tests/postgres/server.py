"""One process of the PostgreSQL stand-in, as a test sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_REPOSITORY = Path(__file__).parents[2]
_DEADLINE_S = 30.0
# The last: a server that was killed on the same port may still take a connection while it dies.
_NOT_YET = ("refused", "starting up", "not yet accepting", "server closed the connection unexpectedly")
USER, PASSWORD, DATABASE = "ibkr_user", "s3cret-for-tests", "ibkr_trading"


@dataclass
class Postgres:
    """One process of the stand-in."""

    process: subprocess.Popen[str]
    port: int
    data: Path
    log: Path
    connections: list[psycopg.Connection] = field(default_factory=list)

    def connect(self, *, user: str = USER, password: str = PASSWORD, database: str = DATABASE) -> psycopg.Connection:
        """Log in, as soon as the server takes logins."""
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            try:
                connection = psycopg.connect(
                    host="127.0.0.1",
                    port=self.port,
                    user=user,
                    password=password,
                    dbname=database,
                    autocommit=True,
                    connect_timeout=5,
                )
            except psycopg.OperationalError as error:
                not_yet = any(words in str(error) for words in _NOT_YET)
                if not not_yet or self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"no login: {error}\n{self.log.read_text()}") from error
                time.sleep(0.02)
            else:
                self.connections.append(connection)
                return connection

    def end(self, number: signal.Signals) -> int:
        """Signal the whole process group, as a process manager does, and wait for the end."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        code = self.process.wait(timeout=10)
        for connection in self.connections:
            connection.close()
        self.connections.clear()
        return code


Start = Callable[..., Postgres]


def free_port() -> int:
    """Choose a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(
    folder: Path,
    data: Path,
    *options: str,
    port: int | None = None,
    password: str = PASSWORD,
) -> Postgres:
    """Start the stand-in in a session of its own, with its output in a file."""
    port = port or free_port()
    log = folder / f"{data.name}.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fixtures.postgres", "--port", str(port), "--data", str(data), *options],
            env={**os.environ, "POSTGRES_USER": USER, "POSTGRES_PASSWORD": password, "POSTGRES_DB": DATABASE},
            cwd=_REPOSITORY,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    return Postgres(process, port, data, log)
