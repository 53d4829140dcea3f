"""One Toxiproxy server process, for one link: started until it listens, killed in an instant."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DeadlineExceeded, HarnessError, StartFailed
from harness.runtime.process import ServiceProcess
from harness.runtime.session import Session
from harness.runtime.toxiproxy.control import Control
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.runtime.waiting import until

_READY_DEADLINE_S = 5.0
_POLL_S = 0.003
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LinkPlace:
    """Where a link's proxy stands.

    Args:
        link: the link's name.
        listen_port: where the client of the link connects to, on 127.0.0.1.
        control_port: where the Toxiproxy server takes orders, on 127.0.0.1.
        upstream: host and port of the server of the link.
        binary: the Toxiproxy server.
        session: what its process belongs to.
    """

    link: str
    listen_port: int
    control_port: int
    upstream: tuple[str, int]
    binary: Path
    session: Session

    @property
    def slug(self) -> str:
        """The link's name, fit for a path."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.link)


class LinkServer:
    """A running Toxiproxy server with its one proxy.

    Args:
        process: its process.
        control: its control API.
    """

    def __init__(self, process: ServiceProcess, control: Control) -> None:
        self.process = process
        self.control = control

    @classmethod
    async def start(cls, place: LinkPlace, log: LinkLog) -> LinkServer:
        """Start a server and make its proxy, without toxics.

        Args:
            place: where it stands.
            log: what its output goes to.

        Raises:
            StartFailed: it ended, or does not listen in time.
        """
        starts_before = log.starts
        output_fd = log.attach()
        try:
            process = await ServiceProcess.start(
                f"toxiproxy {place.link}",
                [str(place.binary), "-host", _LOOPBACK, "-port", str(place.control_port), "-proxy-metrics"],
                session=place.session,
                output=log.path,
                environment={"LOG_LEVEL": "trace"},
                output_fd=output_fd,
            )
        finally:
            os.close(output_fd)
        server = cls(process, Control(place.slug, place.control_port))
        try:
            await server._answers(place.control_port)
            await server.control.create(listen_port=place.listen_port, upstream=place.upstream)
            # Its own log must say so: another program on the control port could have taken the order.
            await until(
                lambda: log.starts > starts_before,
                what="the log's word that it listens",
                deadline_s=_READY_DEADLINE_S,
                poll_s=_POLL_S,
            )
        except HarnessError as error:
            await server.kill()
            log.join()
            raise StartFailed(f"Toxiproxy of {place.link} did not start: {error}", evidence=process.tail()) from error
        return server

    async def kill(self) -> None:
        """Kill it at once; its connections end."""
        await self.process.kill_group()

    async def _answers(self, port: int) -> None:
        """Wait until the control port accepts a connection: cheaper than asking, for it fails at once."""
        gives_up_at = time.monotonic() + _READY_DEADLINE_S
        while True:
            if self.process.returncode is not None:
                raise StartFailed(f"it ended with code {self.process.returncode}")
            try:
                _, writer = await asyncio.open_connection(_LOOPBACK, port)
            except OSError:
                if time.monotonic() >= gives_up_at:
                    raise DeadlineExceeded(
                        f"its control port {port} accepts no connection after {_READY_DEADLINE_S:g} s"
                    ) from None
                await asyncio.sleep(_POLL_S)
                continue
            writer.close()
            return
