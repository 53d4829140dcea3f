"""A Toxiproxy server as a local process: started until it listens, killed in an instant."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, StartFailed
from harness.runtime.local.process import ServiceProcess
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.control import Control
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.runtime.waiting import until

READY_DEADLINE_S = 5.0
_POLL_S = 0.003
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """Where a link's proxy stands on this machine; ``start`` of it is what ``LinkProxy`` asks for.

    Args:
        link: the link's name.
        listen_port: where the client of the link connects to, on 127.0.0.1.
        control_port: where the Toxiproxy server takes orders, on 127.0.0.1.
        upstream: host and port of the server of the link.
        binary: the Toxiproxy server.
        session: what its process belongs to.
        protocol: what is spoken over the link, as far as that is known.
    """

    link: str
    listen_port: int
    control_port: int
    upstream: tuple[str, int]
    binary: Path
    session: Session
    protocol: str = ""

    async def start(self, log: LinkLog) -> LocalServer:
        """Start a server and make its proxy, without toxics.

        Args:
            log: what its output goes to.

        Raises:
            StartFailed: it ended, or does not listen in time.
        """
        starts_before = log.starts
        output_fd = log.attach()
        try:
            process = await ServiceProcess.start(
                f"toxiproxy {self.link}",
                [str(self.binary), "-host", _LOOPBACK, "-port", str(self.control_port)],
                session=self.session,
                output=log.path,
                environment={"LOG_LEVEL": "trace"},
                output_fd=output_fd,
            )
        finally:
            os.close(output_fd)
        server = LocalServer(process, Control(slug(self.link), self.control_port, protocol=self.protocol))
        try:
            await server.answers(self.control_port)
            await server.control.create(listen=(_LOOPBACK, self.listen_port), upstream=self.upstream)
            # Its own log must say so: another program on the control port could have taken the order.
            await until(
                lambda: log.starts > starts_before,
                what="the log's word that it listens",
                deadline_s=READY_DEADLINE_S,
                poll_s=_POLL_S,
            )
        except HarnessError as error:
            await server.kill()
            log.join()
            raise StartFailed(f"Toxiproxy of {self.link} did not start: {error}", evidence=process.tail()) from error
        return server


class LocalServer:
    """A running Toxiproxy server with its one proxy.

    Args:
        process: its process.
        control: its control API.
    """

    def __init__(self, process: ServiceProcess, control: Control) -> None:
        self.control = control
        self._process = process

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for the end of its process."""
        return await self._process.ended()

    async def kill(self) -> None:
        """Kill it at once; its connections end."""
        await self._process.kill_group()

    async def answers(self, port: int) -> None:
        """Wait until the control port accepts a connection: cheaper than asking, for it fails at once.

        Raises:
            StartFailed: the process ended.
            DeadlineExceeded: it accepts none in time.
        """

        async def accepts() -> bool:
            if not self.alive:
                raise StartFailed(f"it ended with code {self._process.returncode}")
            _, writer = await asyncio.open_connection(_LOOPBACK, port)
            writer.close()
            return True

        await until(
            accepts,
            what=f"its control port {port} to accept a connection",
            deadline_s=READY_DEADLINE_S,
            poll_s=_POLL_S,
            not_yet=OSError,
        )


def slug(link: str) -> str:
    """A link's name, fit for a path."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", link)
