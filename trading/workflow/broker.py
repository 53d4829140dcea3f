"""Reaching the gateway: client ids, backoff, and work that is done again when the connection is lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from trading.workflow.causes import cause_of
from trading.workflow.errors import GatewayLost, GatewayRefused, GatewaySilent, GatewayUnavailable
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.gateway import HANDSHAKE_S, ClientIdInUse, Gateway
from trading.workflow.settings import WorkflowSettings

T = TypeVar("T")

log = get_events(__name__)

_FIRST_WAIT_S = 0.2
_WAIT_MAX_S = 1.5


class Broker:
    """Makes connections to the gateway and counts what went wrong with them.

    Args:
        settings: where the gateway is, and which client ids are ours.

    Attributes:
        troubles: what went wrong with connections, in words for the run's reasons.
    """

    def __init__(self, settings: WorkflowSettings) -> None:
        self._host = settings.ibkr_host
        self._port = settings.ibkr_port
        first = settings.ibkr_client_id
        self.client_ids = tuple(range(first, first + settings.ibkr_client_id_count))
        self._reconnect_s = settings.ibkr_reconnect_s
        self.troubles: list[str] = []

    async def connect(self, *, budget_s: float, client_ids: Sequence[int] | None = None) -> Gateway:
        """Connect, with backoff, under the first client id that is free.

        Args:
            budget_s: seconds in all; a first attempt is always made.
            client_ids: the only ids to use; all of ours when None.

        Raises:
            GatewayUnavailable: no connection in time.
        """
        started_s = time.monotonic()
        ends_s = started_s + budget_s
        ids = tuple(client_ids or self.client_ids)
        attempt = 0
        cause = outage = ""
        while True:
            attempt += 1
            attempt_started_s = time.monotonic()
            client_id = ids[(attempt - 1) % len(ids)] if cause == "client_id_in_use" else ids[0]
            try:
                deadline_s = max(0.5, min(HANDSHAKE_S, ends_s - attempt_started_s))
                gateway = await Gateway.connect(self._host, self._port, client_id, deadline_s=deadline_s)
            except (ClientIdInUse, GatewayLost, GatewaySilent, OSError) as failure:
                cause = _cause(failure)
                now_s = time.monotonic()
                attempt_failed(
                    log, "gateway", cause, attempt=attempt, elapsed_s=now_s - attempt_started_s, error=failure
                )
                wait_s = _wait_s(attempt, another_id=cause == "client_id_in_use" and attempt < len(ids))
                if now_s + wait_s >= ends_s:
                    words = f"no connection to the gateway at {self._host}:{self._port} in {attempt} attempts"
                    raise GatewayUnavailable(f"{words} ({cause}: {failure})") from failure
                await asyncio.sleep(wait_s)
                if cause != "client_id_in_use":
                    outage = cause
            else:
                if outage:
                    self._trouble(f"gateway could not be reached at first ({outage})")
                elapsed_s = round(time.monotonic() - started_s, 3)
                log.info("gateway_connected", client_id=client_id, attempt=attempt, elapsed_s=elapsed_s)
                return gateway

    async def reading(self, what: str, work: Callable[[Gateway], Awaitable[T]], *, budget_s: float | None = None) -> T:
        """Connect and do some work that changes nothing; do it again on a new connection when one is lost.

        The work begins on a connection that is proven alive, with a gateway that is in touch with its servers.

        Args:
            what: named in logs.
            work: receives the connection.
            budget_s: seconds during which a lost connection is made anew, when they are not the settings'.

        Raises:
            GatewayUnavailable: no connection in time.
            GatewayLost: lost at the end of the budget.
            GatewaySilent: silent at the end of the budget.
            GatewayRefused: the gateway answered with an error.
        """
        ends_s = time.monotonic() + (self._reconnect_s if budget_s is None else budget_s)
        attempt = 0
        while True:
            attempt += 1
            gateway = await self.connect(budget_s=ends_s - time.monotonic())
            started_s = time.monotonic()
            try:
                await gateway.prove_alive(patience_s=ends_s - started_s)
                return await work(gateway)
            except (GatewayLost, GatewaySilent) as failure:
                self.lost(what, failure, attempt=attempt, started_s=started_s)
                if time.monotonic() >= ends_s:
                    raise
            finally:
                await gateway.close()
            await self.pause(attempt)

    async def pause(self, attempt: int) -> None:
        """Wait a moment before the next connection: one that is accepted and then lost must not be made in a rush.

        Args:
            attempt: counted from 1; later ones wait longer, up to a limit.
        """
        await asyncio.sleep(_wait_s(attempt, another_id=False))

    def lost(self, what: str, failure: Exception, *, attempt: int, started_s: float) -> None:
        """Count and log that a connection failed while it was in use.

        Args:
            what: what was being done.
            failure: how it failed.
            attempt: counted from 1.
            started_s: monotonic time at which it began.
        """
        cause = _cause(failure)
        attempt_failed(
            log, "gateway", cause, attempt=attempt, elapsed_s=time.monotonic() - started_s, error=f"{what}: {failure}"
        )
        self._trouble(f"gateway connection lost during {what} ({cause})")

    def _trouble(self, words: str) -> None:
        if words not in self.troubles:
            self.troubles.append(words)


def _cause(failure: BaseException) -> str:
    match failure:
        case ClientIdInUse():
            return "client_id_in_use"
        case GatewayLost():
            return "lost"
        case GatewaySilent():
            return "timeout"
        case GatewayRefused():
            return f"error_{failure.code}"
    return cause_of(failure)


def _wait_s(attempt: int, *, another_id: bool) -> float:
    if another_id:
        return 0.0
    return random.uniform(_FIRST_WAIT_S / 2, min(_WAIT_MAX_S, _FIRST_WAIT_S * 2 ** min(attempt, 8)))  # noqa: S311 - jitter
