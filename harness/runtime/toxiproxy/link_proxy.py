"""The Toxiproxy of one link: faults on, faults off, and a new server when the old one hangs or dies.

Toxiproxy 2.12 can hang for ever when a toxic is removed, or a proxy disabled, while bytes are queued in it (their
issue 558). One server for each link keeps that to the link; a deadline on each call finds it; and a new server in the
same place, without toxics, heals it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.errors import ControlHung, HarnessError
from harness.faults.toxic import Toxic
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.runtime.toxiproxy.link_server import LinkServer, StartServer
from harness.runtime.toxiproxy.link_traffic import LinkTraffic
from harness.stack.addressing import Address

# Its removal hangs under load, unless the proxy is disabled first; with every other toxic it is the other way round.
_DISABLE_FIRST = frozenset({"slow_close"})


class ReplacedBecause(StrEnum):
    """Why a server was replaced."""

    HUNG = "hung"
    DIED = "died"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class LinkReplaced:
    """A link's server was replaced: its connections were dropped, its toxics are gone.

    Args:
        link: the link's name.
        reason: whether it hung or died by itself, or was stuck in a connect to a server that did not answer.
        took_s: seconds from the moment that it was noticed until the new server listened.
    """

    link: str
    reason: ReplacedBecause
    took_s: float


@dataclass(frozen=True, slots=True)
class Healed:
    """A link is without faults again.

    Args:
        replaced: why a new server was needed for that, or None when the old one obeyed.
        took_s: seconds that it took.
    """

    replaced: ReplacedBecause | None
    took_s: float


def _ignore(_: LinkReplaced) -> None:
    return


class LinkProxy(LinkTraffic):
    """The proxy of one link, as long as the stack runs.

    Args:
        link: the link's name.
        address: where the harness reaches it; where clients share the harness's addresses, they reach it there too.
        start_server: starts a server in its place.
        log: the file for the servers' log.
        caller: the address that the link's client, and nothing else, calls from; None where all call from the same.
        on_replaced: is told of each replacement.
        undo_steps: what takes every fault of it away if the harness dies; none where it goes with the session.
    """

    def __init__(
        self,
        link: str,
        address: Address,
        start_server: StartServer,
        *,
        log: Path,
        caller: str | None = None,
        on_replaced: Callable[[LinkReplaced], object] = _ignore,
        undo_steps: Sequence[UndoStep] = (),
    ) -> None:
        super().__init__(address, LinkLog(log), caller)
        self.link = link
        self.undo_steps = tuple(undo_steps)
        self._start_server = start_server
        self._on_replaced = on_replaced
        self._server: LinkServer | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._toxics: dict[str, Toxic] = {}
        self._failure: HarnessError | None = None

    async def start(self) -> None:
        """Start the link's first server.

        Raises:
            StartFailed: it does not come up.
        """
        self._server = await self._start_server(self._log)
        self._supervisor = asyncio.create_task(self._supervise(), name=f"supervise {self.link}")

    async def release(self) -> None:
        """Replace no server any more; its owner ends it."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None

    async def close(self) -> None:
        """End the server."""
        await self.release()
        async with self._turn:
            if self._server is not None:
                await self._server.kill()
                self._server = None
        self._log.join()

    @property
    def alive(self) -> bool:
        """Whether its server runs; one that died is replaced within some 50 ms."""
        return self._server is not None and self._server.alive

    @property
    def has_witness(self) -> bool:
        """Whether its server tells how the bytes of each connection move: ours does, another Toxiproxy does not."""
        return self._server is not None and self._server.control.has_witness

    async def disable(self) -> None:
        """Refuse new connections and end those that are open.

        Raises:
            ControlHung: the server hangs; ``heal`` replaces it.
            HarnessError: the server failed otherwise.
        """
        async with self._turn:
            await self._running().control.disable()

    async def enable(self) -> None:
        """Accept connections again; what ``disable`` raises, this raises."""
        async with self._turn:
            await self._running().control.enable()

    async def add_toxic(self, toxic: Toxic) -> None:
        """Add a toxic, to the open connections too.

        Raises:
            ControlHung: the server hangs; ``heal`` replaces it.
            HarnessError: the server refused it; the fault is not on.
        """
        async with self._turn:
            # Noted first: a call that hangs may have added it all the same.
            self._toxics[toxic.name] = toxic
            await self._running().control.add_toxic(toxic)

    async def remove_toxic(self, toxic: Toxic) -> None:
        """Remove a toxic; what ``add_toxic`` raises, this raises."""
        async with self._turn:
            await self._running().control.remove_toxic(toxic)
            self._toxics.pop(toxic.name, None)

    async def acts(self) -> bool:
        """Whether anything acts on it, by its server's own word; what ``add_toxic`` raises, this raises."""
        async with self._turn:
            _, toxics = await self._running().control.state()
            return bool(toxics)

    async def heal(self) -> Healed:
        """Remove every toxic and accept connections, by a new server if the old one does not obey.

        Raises:
            StartFailed: a new server was needed and does not come up.
        """
        started = time.monotonic()
        reason: ReplacedBecause | None = None
        async with self._turn:
            try:
                await self._lift()
            except ControlHung:
                reason = ReplacedBecause.HUNG
            except HarnessError:
                # Dead, or it answers what it should not: either way it is of no more use.
                reason = ReplacedBecause.HUNG if self.alive else ReplacedBecause.DIED
            if reason is not None:
                await self._replace(reason)
        return Healed(reason, time.monotonic() - started)

    async def renew(self) -> Healed:
        """Replace the server by a fresh one, without toxics.

        Toxiproxy connects to its server before it accepts the next client, without a time limit: one that was cut off
        in the middle of that accepts no client until long after the cut is healed, and its control API shows nothing.

        Raises:
            StartFailed: the new server does not come up.
        """
        started = time.monotonic()
        async with self._turn:
            await self._replace(ReplacedBecause.STUCK)
        return Healed(ReplacedBecause.STUCK, time.monotonic() - started)

    def _running(self) -> LinkServer:
        if self._failure is not None:
            raise self._failure
        if self._server is None:
            raise HarnessError(f"Toxiproxy of {self.link} was closed")
        return self._server

    async def _lift(self) -> None:
        control = self._running().control
        if any(toxic.type in _DISABLE_FIRST for toxic in self._toxics.values()):
            await control.disable()
        for toxic in tuple(self._toxics.values()):
            await control.remove_toxic(toxic)
            del self._toxics[toxic.name]
        enabled, toxics = await control.state()
        if not enabled:
            await control.enable()
        if toxics:
            names = ", ".join(toxic.name for toxic in toxics)
            raise HarnessError(f"Toxiproxy of {self.link} should be without toxics, but holds {names}")

    async def _replace(self, reason: ReplacedBecause) -> None:
        started = time.monotonic()
        await self._running().kill()
        self._toxics.clear()
        try:
            self._server = await self._start_server(self._log)
        except HarnessError as error:
            self._failure = error
            raise
        self._on_replaced(LinkReplaced(self.link, reason, time.monotonic() - started))

    async def _supervise(self) -> None:
        while self._server is not None and self._failure is None:
            server = self._server
            await server.ended()
            async with self._turn:
                # What killed it on purpose has put another in its place while it had the turn.
                if self._server is server:
                    with suppress(HarnessError):  # kept, and raised to what uses the link next
                        await self._replace(ReplacedBecause.DIED)
