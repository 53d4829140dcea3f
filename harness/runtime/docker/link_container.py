"""A Toxiproxy server as a container: its addresses and its published ports outlast each of its deaths."""

from __future__ import annotations

from harness.errors import HarnessError, StartFailed
from harness.runtime.docker.contained import Contained, Startable
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.follower import Follower, kill_unless_down
from harness.runtime.logs import tail
from harness.runtime.toxiproxy.control import Control
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.runtime.waiting import NotYet, until
from harness.stack.addressing import Address

_READY_DEADLINE_S = 20.0
_POLL_S = 0.01
_ANYWHERE = "0.0.0.0"  # noqa: S104 - in a container of its own; on this machine the engine publishes on loopback


class LinkContainer:
    """Where a link's proxy stands; ``start`` of it is what ``LinkProxy`` asks for.

    Args:
        link: the link's name.
        engine: where it runs.
        contained: the container, not yet created.
        listen_port: the server's port, on which it listens in its container.
        control: where the harness reaches its control API.
        upstream: the server's own address.
        protocol: what is spoken over the link, as far as that is known.
    """

    def __init__(
        self,
        link: str,
        engine: Engine,
        contained: Contained,
        *,
        listen_port: int,
        control: Address,
        upstream: Address,
        protocol: str = "",
    ) -> None:
        self.link = link
        self._engine = engine
        self._contained = contained
        self._listen_port = listen_port
        self._control = control
        self._upstream = upstream
        self._protocol = protocol

    async def create(self) -> None:
        """Create it, without starting it."""
        await self._engine.call(f"create the Toxiproxy of {self.link}", self._contained.create)

    async def start(self, log: LinkLog) -> ContainerServer:
        """Start a server and make its proxy, without toxics.

        Args:
            log: what its output goes to.

        Raises:
            StartFailed: it ended, or does not listen in time.
        """
        follower = Follower(self._contained.get_wrapped_container(), log.attach())

        def work() -> None:
            follower.attach()
            self._contained.start()

        try:
            await self._engine.call(f"start the Toxiproxy of {self.link}", work)
        except HarnessError:
            follower.give_up()
            raise
        host, port = self._control
        control = Control(self.link, port, host=host, protocol=self._protocol)
        server = ContainerServer(self._engine, self._contained, follower, control, log)
        try:
            await server.answers()
            await control.create(listen=(_ANYWHERE, self._listen_port), upstream=self._upstream)
        except HarnessError as error:
            await server.kill()
            raise StartFailed(f"Toxiproxy of {self.link} did not start: {error}", evidence=server.tail()) from error
        return server


class ContainerServer:
    """A running Toxiproxy server with its one proxy: one start of its container.

    Args:
        engine: where it runs.
        contained: its container.
        follower: follows this start of it.
        control: its control API.
        log: what its output goes to.
    """

    def __init__(
        self, engine: Engine, contained: Startable, follower: Follower, control: Control, log: LinkLog
    ) -> None:
        self.control = control
        self._engine = engine
        self._contained = contained
        self._follower = follower
        self._log = log

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return not self._follower.over

    async def ended(self) -> int | None:
        """Wait for its end."""
        return await self._follower.ended()

    async def kill(self) -> None:
        """Kill it at once; its connections end."""
        if self.alive:
            await self._engine.call(
                "kill a Toxiproxy", lambda: kill_unless_down(self._contained.get_wrapped_container())
            )
        await self._follower.until_over()

    def tail(self, lines: int = 20) -> str:
        """Its last output."""
        return tail(self._log.path, lines)

    async def answers(self) -> None:
        """Wait until its control API answers: the engine's forwarder accepts connections long before.

        Raises:
            StartFailed: it ended.
            DeadlineExceeded: it does not answer in time.
        """

        async def says_its_version() -> str:
            if not self.alive:
                raise StartFailed(f"it ended with code {self._follower.returncode}")
            try:
                return await self.control.version()
            except HarnessError as cause:
                raise NotYet(str(cause)) from cause

        await until(says_its_version, what="its answer", deadline_s=_READY_DEADLINE_S, poll_s=_POLL_S)
