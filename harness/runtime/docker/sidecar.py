"""A sidecar: a container of the harness's own that shares something with a service's container."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

from harness.errors import SetUpError
from harness.runtime.docker.container_api import EngineRefused, Said, client_of, run_in
from harness.runtime.session.undo_log import UndoStep

# With iptables; an image of the harness's own, as it needs capabilities that no service has.
NET_TOOLS_IMAGE = "trading-net-tools"


class Shared(Enum):
    """What a sidecar has in common with the container beside it; it has nothing of the other two."""

    NETWORK = auto()
    VOLUMES = auto()
    PROCESSES = auto()


class Sidecar:
    """A container that waits beside a service's, to run commands in what the two share.

    Args:
        container: it, running.
    """

    def __init__(self, container: Container) -> None:
        self._container = container

    @classmethod
    async def start(
        cls,
        beside: Container,
        image: str,
        *,
        shares: Shared,
        labels: Mapping[str, str],
        user: str | None,
        capabilities: Sequence[str] = (),
        confined: bool = True,
    ) -> Sidecar:
        """Start one.

        Args:
            beside: the service's container.
            image: what it is made of.
            shares: what it shares with the service's container.
            labels: whose it is, so that it is removed with the rest.
            user: as whom it runs; None leaves that to the image.
            capabilities: the only ones that it has.
            confined: whether the profiles of AppArmor and seccomp hold for it.

        Raises:
            SetUpError: the image is missing.
            EngineRefused: it does not come up.
        """
        client = client_of(beside)

        def work() -> Container:
            return client.containers.run(
                image,
                ["infinity"],
                entrypoint=["sleep"],
                detach=True,
                labels=dict(labels),
                user=user,
                network_mode=f"container:{beside.id}" if shares is Shared.NETWORK else "none",
                volumes_from=[str(beside.id)] if shares is Shared.VOLUMES else None,
                pid_mode=f"container:{beside.id}" if shares is Shared.PROCESSES else None,
                cap_drop=["ALL"],
                cap_add=list(capabilities),
                security_opt=None if confined else ["apparmor=unconfined", "seccomp=unconfined"],
            )

        try:
            return cls(await asyncio.to_thread(work))
        except ImageNotFound as cause:
            raise SetUpError(f"image {image} is missing: run `harness images build`") from cause
        except (DockerException, RequestException) as cause:
            raise EngineRefused(f"no sidecar of {image} beside {beside.name}: {cause}") from cause

    async def run(self, argv: Sequence[str]) -> Said:
        """Run a command in it."""
        return await run_in(self._container, list(argv))

    async def require(self, argv: Sequence[str]) -> str:
        """Run a command that has to work, and give its output.

        Raises:
            EngineRefused: it did not; the message is its own.
        """
        said = await self.run(argv)
        if said.exit_code != 0:
            raise EngineRefused(f"{' '.join(argv)} beside the service ended with {said.exit_code}: {said.output}")
        return said.output

    def undo_step(self, argv: Sequence[str]) -> UndoStep:
        """The same as a step of an undo log."""
        return UndoStep(f"/containers/{self._container.id}/exec", {"Cmd": list(argv)})

    async def remove(self) -> None:
        """Remove it; one that is gone already is as good.

        Raises:
            EngineRefused: the engine did not remove it.
        """

        def work() -> None:
            try:
                self._container.remove(force=True, v=True)
            except NotFound:
                return

        try:
            await asyncio.to_thread(work)
        except (DockerException, RequestException) as cause:
            raise EngineRefused(f"sidecar {self._container.name} could not be removed: {cause}") from cause
