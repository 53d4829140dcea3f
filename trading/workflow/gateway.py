"""One connection to the IBKR gateway, on which every wait has a deadline and every failure a name.

ib_insync by itself waits for ever for some answers, answers some failures with an empty list, and reports a refused
client id as a timeout. Source: observations of ib_insync 0.9.86 under faults.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from ib_insync import IB, RequestError

from trading.deadline import DeadlineExceeded, within
from trading.workflow.errors import GatewayLost, GatewayRefused, GatewaySilent
from trading.workflow.events import get_events
from trading.workflow.farms import Farms, FarmState

T = TypeVar("T")

log = get_events(__name__)

HANDSHAKE_S = 3.0
REQUEST_S = 5.0
_ALIVE_S = 3.0
_CLOSE_S = 0.5
_POLL_S = 0.05

_CLIENT_ID_IN_USE = 326
_UPSTREAM_LOST = frozenset({1100, 2110})
_UPSTREAM_BACK = frozenset({1101, 1102})
_NO_SERVERS = "the gateway has lost the connection to its servers (1100)"


class ClientIdInUse(Exception):
    """Another connection holds the client id (error 326)."""


class Gateway:
    """A connection that is up; made by `Gateway.connect`, ended by `close`.

    Args:
        ib: the library's connection.
        client_id: the id that it holds.

    Attributes:
        farms: the data farms that the gateway has told about; complete once `prove_alive` has returned.
        upstream_lost: whether the gateway has lost its servers (1100) and not got them back (1101, 1102).
        outages: how often it has lost them on this connection.
    """

    def __init__(self, ib: IB, client_id: int) -> None:
        self.ib: Any = ib
        self.client_id = client_id
        self.farms = Farms()
        self.upstream_lost = False
        self.outages = 0
        self.ib.errorEvent.connect(self._on_error)

    def _on_error(self, _request_id: int, code: int, message: str, _contract: object) -> None:
        if code in _UPSTREAM_LOST:
            # It is said again and again during one outage.
            if not self.upstream_lost:
                self.outages += 1
                log.warning("gateway_upstream_lost", code=code, message=message)
            self.upstream_lost = True
        elif code in _UPSTREAM_BACK:
            self.upstream_lost = False
            log.info("gateway_upstream_back", code=code, message=message)
        elif (farm := self.farms.heed(code, message)) is not None and farm.state is FarmState.BROKEN:
            log.warning("gateway_farm_broken", code=code, kind=farm.kind, farm=farm.name)

    @classmethod
    async def connect(cls, host: str, port: int, client_id: int, *, deadline_s: float = HANDSHAKE_S) -> Gateway:
        """Connect and log on; no further request is made.

        The library's own `IB.connect` also asks for positions, orders, accounts and executions, and hides it when these
        stay unanswered: each task asks for what it needs instead.

        Args:
            host: the gateway's.
            port: the gateway's.
            client_id: the id to hold.
            deadline_s: seconds until the log-on must be complete.

        Raises:
            ClientIdInUse: another connection holds the id.
            GatewayLost: the connection ended before the log-on was complete.
            GatewaySilent: the log-on was not complete in time.
            OSError: the connection could not be made.
        """
        ib: Any = IB()  # type: ignore[no-untyped-call]
        ib.RaiseRequestErrors = True
        ib.wrapper.clientId = client_id
        # It listens from the start: the notices about farms come together with the end of the log-on.
        gateway = cls(ib, client_id)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_error(_request_id: int, code: int, message: str, _contract: object) -> None:
            if code == _CLIENT_ID_IN_USE and not ended.done():
                ended.set_exception(ClientIdInUse(message))

        def on_end(message: str) -> None:
            if not ended.done():
                ended.set_exception(GatewayLost(message or "the gateway closed the connection during the log-on"))

        ib.errorEvent.connect(on_error)
        ib.client.conn.disconnected.connect(on_end)
        try:
            await _log_on(ib.client.connectAsync(host, port, client_id, deadline_s), ended, deadline_s)
        except BaseException:
            _abort(ib)
            raise
        finally:
            ib.errorEvent.disconnect(on_error)
            ib.client.conn.disconnected.disconnect(on_end)
            ended.cancel()
        return gateway

    @property
    def is_up(self) -> bool:
        """Whether the connection is up as far as the operating system knows."""
        return bool(self.ib.client.isReady())

    @property
    def account(self) -> str:
        """The first account of the log-on."""
        return str(self.ib.client.getAccounts()[0])

    async def ask(self, what: str, request: Callable[[], Awaitable[T]], *, deadline_s: float = REQUEST_S) -> T:
        """Make a request and wait for its whole answer.

        Args:
            what: named in errors.
            request: starts the request, as in `lambda: gateway.ib.reqPositionsAsync()`.
            deadline_s: seconds until the answer must be complete.

        Raises:
            GatewayRefused: the gateway answered with an error.
            GatewayLost: the connection is not up, or ended; or the gateway, without its servers, had no answer.
            GatewaySilent: no complete answer in time; the connection must not be used again.
        """

        async def asking() -> T:
            return await request()

        try:
            return await within(deadline_s, asking(), what=what)
        except DeadlineExceeded as late:
            raise GatewaySilent(str(late)) from late
        except RequestError as refusal:
            if self.upstream_lost:
                # Even a valid symbol is unknown (200) to a gateway that cannot ask for it.
                raise GatewayLost(f"{what}: error {refusal.code} while {_NO_SERVERS}") from refusal
            raise GatewayRefused(refusal.code, refusal.message) from refusal
        except ConnectionError as lost:
            raise GatewayLost(f"{what}: {lost}") from lost

    async def prove_alive(self, *, patience_s: float = 0.0) -> None:
        """Require an answer over the connection, and a gateway that is in touch with its servers.

        Args:
            patience_s: seconds to wait for servers that are lost (1100) to come back (1101, 1102).

        Raises:
            GatewayLost: the connection ended, or the servers did not come back in time.
            GatewaySilent: no answer in time.
        """
        await self.ask("the gateway's time", self.ib.reqCurrentTimeAsync, deadline_s=_ALIVE_S)
        await self.servers_back(patience_s)

    async def servers_back(self, patience_s: float) -> None:
        """Wait until the gateway is in touch with its servers; return at once when it is.

        Args:
            patience_s: seconds to wait at most.

        Raises:
            GatewayLost: they did not come back in time, or the connection ended.
        """
        ends_s = time.monotonic() + patience_s
        while self.upstream_lost:
            if not self.is_up:
                raise GatewayLost(f"the connection ended while {_NO_SERVERS}")
            if time.monotonic() >= ends_s:
                raise GatewayLost(_NO_SERVERS)
            await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """End the connection in an orderly way; returns when it is closed or a short wait is over."""
        self.ib.errorEvent.disconnect(self._on_error)
        if not self.is_up:
            _abort(self.ib)
            return
        closed = asyncio.get_running_loop().create_future()

        def on_end(_message: str) -> None:
            if not closed.done():
                closed.set_result(None)

        self.ib.client.conn.disconnected.connect(on_end)
        with contextlib.suppress(OSError):
            self.ib.disconnect()
            await asyncio.wait({closed}, timeout=_CLOSE_S)
        self.ib.client.conn.disconnected.disconnect(on_end)
        closed.cancel()
        _abort(self.ib)


async def _log_on(connecting: Coroutine[object, object, None], ended: asyncio.Future[None], deadline_s: float) -> None:
    """Wait for the log-on or for its end: the library by itself waits out its timeout after a refusal."""
    handshake = asyncio.ensure_future(connecting)
    try:
        await asyncio.wait({handshake, ended}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
        if handshake.done():
            return handshake.result()
    except TimeoutError as late:
        raise GatewaySilent(f"no log-on within {deadline_s:g} s") from late
    finally:
        handshake.cancel()
        await asyncio.wait({handshake})
        if not handshake.cancelled():
            handshake.exception()
    raise GatewaySilent(f"no log-on within {deadline_s:g} s")


def _abort(ib: Any) -> None:
    transport = ib.client.conn.transport
    if transport is not None:
        transport.abort()
    ib.client.reset()
