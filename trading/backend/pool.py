"""Connections to the database, kept open, and the deadline under which each request uses one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import select
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from psycopg import errors as sql
from psycopg.pq import TransactionStatus

from trading.backend.errors import DatabaseUnavailable, SchemaMissing, ValueRefused
from trading.deadline import DeadlineExceeded, within

T = TypeVar("T")
Connection = psycopg.AsyncConnection[tuple[object, ...]]

# Shares of the deadline. The server gives up before we do: what we stopped waiting for must not be committed later.
_WAIT_SHARE = 0.25
_STATEMENT_SHARE = 0.7

_log = logging.getLogger(__name__)


class ConnectionPool:
    """A bounded number of connections for one kind of work.

    They are in autocommit: a write is one statement, which is a transaction by itself, so it costs one round trip
    instead of three.

    Args:
        url: the database, as libpq spells it.
        size: open connections at most.
        deadline_s: seconds that a piece of work may take, waiting and connecting included.
    """

    def __init__(self, url: str, *, size: int, deadline_s: float) -> None:
        self._url = url
        self._size = size
        self._deadline_s = deadline_s
        self._places = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, what: str) -> T:
        """Do some work on a connection, or say in time that it cannot be done.

        Args:
            work: receives the connection.
            what: named in logs and errors.

        Raises:
            DatabaseUnavailable: no connection, no answer in time, or the database cannot work now.
            ValueRefused: it will never do this.
        """
        ends_s = asyncio.get_running_loop().time() + self._deadline_s
        await self._take_place(what)
        try:
            return await self._use(work, ends_s)
        except DeadlineExceeded as late:
            # A link that went silent stays silent for the connections that were open on it: start with new ones.
            await self.close()
            raise _unavailable("timeout", what, str(late)) from late
        except (sql.QueryCanceled, sql.LockNotAvailable) as late:
            raise _unavailable("timeout", what, late) from late
        except (sql.DeadlockDetected, sql.SerializationFailure) as conflict:
            raise _unavailable("conflict", what, conflict) from conflict
        except (sql.UndefinedTable, sql.UndefinedColumn) as missing:
            raise SchemaMissing(str(_unavailable("schema", what, missing))) from missing
        except (
            psycopg.DataError,
            psycopg.IntegrityError,
            sql.ProgramLimitExceeded,
            sql.StatementTooComplex,
        ) as refused:
            raise ValueRefused(_first_line(refused)) from refused
        except (psycopg.Error, OSError) as gone:
            raise _unavailable("unreachable", what, gone) from gone
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close the connections that are not in use."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def _take_place(self, what: str) -> None:
        if not self._places.locked():
            # It does not wait, so it needs no deadline: that would cost as much as all the rest of the pool.
            await self._places.acquire()
            return
        wait_s = self._deadline_s * _WAIT_SHARE
        try:
            async with asyncio.timeout(wait_s):
                await self._places.acquire()
        except TimeoutError as busy:
            words = f"all {self._size} connections are in use, and none came free within {wait_s:g} s"
            raise _unavailable("busy", what, words) from busy

    async def _use(self, work: Callable[[Connection], Awaitable[T]], ends_s: float) -> T:
        loop = asyncio.get_running_loop()
        connection = await self._idle_one()
        if connection is None:
            connection = await within(ends_s - loop.time(), self._connect(), what="psycopg connecting to the database")
        severing = loop.call_at(ends_s, _sever, connection)
        try:
            return await work(connection)
        except psycopg.OperationalError as error:
            if loop.time() < ends_s:
                raise
            raise DeadlineExceeded(f"no answer within {self._deadline_s:g} s: {_first_line(error)}") from error
        finally:
            severing.cancel()
            if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                self._idle.append(connection)
            else:
                await connection.close()

    async def _idle_one(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not _has_word(connection):
                return connection
            _log.info("connection_lost target=postgres error='psycopg: the server closed an idle connection'")
            await connection.close()
        return None

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            # Every statement is one of a few, so it is prepared at its first use.
            prepare_threshold=0,
            application_name="artifacts-backend",
            connect_timeout=2,
            options=f"-c statement_timeout={int(self._deadline_s * _STATEMENT_SHARE * 1000)} -c timezone=UTC",
        )


def _has_word(connection: Connection) -> bool:
    """Whether the server has said something to an idle connection: its end, as a rule. To ask it would cost a trip."""
    polling = select.poll()
    polling.register(connection.pgconn.socket, select.POLLIN)
    return bool(polling.poll(0))


def _sever(connection: Connection) -> None:
    """End a connection in mid-statement: cancelling would first ask the server, and wait up to 5 s for a dead link."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=connection.pgconn.socket) as link:
        try:
            link.shutdown(socket.SHUT_RDWR)
        finally:
            link.detach()


def _first_line(error: BaseException) -> str:
    return f"psycopg.{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}"


def _unavailable(cause: str, what: str, error: BaseException | str) -> DatabaseUnavailable:
    words = error if isinstance(error, str) else _first_line(error)
    _log.warning("attempt_failed target=postgres cause=%s what=%r error=%r", cause, what, words)
    return DatabaseUnavailable(words)
