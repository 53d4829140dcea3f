"""The volumes of a session, and those that are filled from a template, which outlives every session."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from docker.errors import APIError, NotFound
from docker.models.containers import Container as EngineContainer
from docker.types import Mount

from harness.errors import NO_ROOM, HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.session.labels import TEMPLATE, TEMPLATE_VOLUME, labels_of, maker_labels
from harness.runtime.session.session import Session
from harness.stack.container import Volume, VolumeMount
from harness.stack.stack import Service, Stack
from harness.stack.units import size_bytes

_KEY_LENGTH = 16
# Of each service: durable and not, of this version and the one before.
_KEPT = 4
_FROM, _TO = "/from", "/to"
_SIZE = re.compile(r"(?<![^,])size=(\d+[kmg]?)(?![^,])", re.IGNORECASE)


class Volumes:
    """The volumes of one session.

    Args:
        engine: where they are.
        session: whose they are.
        declared: what the compose file says of them.
    """

    def __init__(self, engine: Engine, session: Session, declared: Mapping[str, Volume]) -> None:
        self._engine = engine
        self._session = session
        self._declared = declared
        self._made: dict[str, asyncio.Task[None]] = {}

    def full_name(self, volume: str) -> str:
        """A volume's name in the engine."""
        return f"harness-{self._session.id}-{volume}"

    async def make(self, volumes: list[str]) -> None:
        """Make volumes, each once.

        Raises:
            HarnessError: the engine refuses.
        """
        for volume in volumes:
            if volume not in self._made:
                self._made[volume] = asyncio.create_task(self._make(volume))
        for volume in volumes:
            await self._made[volume]

    async def _make(self, volume: str) -> None:
        how = self._declared.get(volume, Volume())
        with self._session.reaper.asking():
            await self._engine.call(f"make the volume {volume}", lambda: self._create(self.full_name(volume), how))

    def _create(self, name: str, how: Volume) -> None:
        labels = labels_of(self._session.id, directory=self._session.directory)
        create = partial(self._engine.client.volumes.create, name, driver=how.driver, labels=labels)
        try:
            create(driver_opts=dict(how.options))
        except APIError:
            # Podman takes a size for a quota of its own, which most file systems have not, even where all is memory.
            if (in_blocks := sized_in_blocks(how.options)) == how.options:
                raise
            create(driver_opts=in_blocks)


@dataclass(frozen=True, slots=True)
class VolumeTemplate:
    """A service's state that is made once, kept in a volume, and copied for each session.

    An engine cannot rename a volume, so a kept one is a pair: the data, in a volume of its maker's, and an empty volume
    that names it. The second is made last, and once made it stays: no session ever sees half a template, and of two who
    make one at the same time the first has it.

    Args:
        engine: where it is.
        session: who copies it, or makes it.
        service: whose state it is.
        image: an image with ``cp`` in it: the service's own.
        volume: the volume of the compose file that it fills.
        key: the digest of everything that it is made from.
    """

    engine: Engine
    session: Session
    service: str
    image: str
    volume: str
    key: str

    @property
    def name(self) -> str:
        """The name of the empty volume that stands for a whole template."""
        return f"harness-template-{self.service}-{self.key}"

    async def find(self) -> str | None:
        """The volume with the data; None when no template was made yet."""

        def work() -> str | None:
            try:
                found = self.engine.client.volumes.get(self.name)
                data = str(found.attrs["Labels"][TEMPLATE_VOLUME])
                self.engine.client.volumes.get(data)
            except NotFound:
                return None
            return data

        return await self.engine.call(f"look for the template of {self.service}", work)

    async def copy(self, data: str, target: str) -> None:
        """Fill a new volume from the template.

        Raises:
            HarnessError: it could not be copied.
        """
        with self.session.reaper.asking():
            await self.engine.call(f"copy the template of {self.service}", lambda: self._copy(data, target))

    async def keep(self, source: str) -> None:
        """Copy what was made, whole or not at all.

        Raises:
            HarnessError: it could not be copied.
        """

        def work() -> None:
            volumes = self.engine.client.volumes
            data = volumes.create(
                f"{self.name}-{self.session.id}", labels=maker_labels(self.session.id, self.session.directory)
            )
            self._copy(source, str(data.name))
            labels = {TEMPLATE: self.service, TEMPLATE_VOLUME: str(data.name)}
            kept = volumes.create(self.name, labels=labels)
            kept.reload()
            if kept.attrs["Labels"][TEMPLATE_VOLUME] != data.name:
                data.remove()
            self._forget_oldest()

        with self.session.reaper.asking():
            await self.engine.call(f"keep the template of {self.service}", work)

    def _forget_oldest(self) -> None:
        """Remove the oldest templates: each change of what they are made from adds one."""
        volumes = self.engine.client.volumes
        found = volumes.list(filters={"label": f"{TEMPLATE}={self.service}"})
        for old in sorted(found, key=lambda volume: str(volume.attrs["CreatedAt"]), reverse=True)[_KEPT:]:
            # The name first: a session that finds none makes one, and one that copies it keeps the data from removal.
            # Another session may be at it, too.
            with suppress(APIError):
                old.remove(force=True)
                volumes.get(str(old.attrs["Labels"][TEMPLATE_VOLUME])).remove(force=True)

    def _copy(self, source: str, target: str) -> None:
        copier: EngineContainer = self.engine.client.containers.create(
            self.image,
            entrypoint=["cp"],
            command=["-a", f"{_FROM}/.", f"{_TO}/"],
            # As root: the copies keep their owner.
            user="0:0",
            network_mode="none",
            labels=labels_of(self.session.id, directory=self.session.directory, service=self.service),
            mounts=[
                Mount(_FROM, source, type="volume", read_only=True),
                Mount(_TO, target, type="volume", no_copy=True),
            ],
        )
        try:
            copier.start()
            code = int(copier.wait()["StatusCode"])
            if code != 0:
                said = copier.logs(tail=5).decode(errors="replace")
                full = "; the engine's disk is full" if NO_ROOM in said else ""
                raise HarnessError(f"the template of {self.service} could not be copied{full}", evidence=said)
        finally:
            # With the volumes that its image declares, which bear no label.
            copier.remove(force=True, v=True)


async def template_of(engine: Engine, session: Session, stack: Stack, service: Service) -> VolumeTemplate | None:
    """The template of a service, if it declares one and has a volume of its own to keep it in."""
    volume = _own_volume(stack, service)
    if service.part.template is None or service.container is None or volume is None:
        return None
    digest = hashlib.sha256()
    for name in (service.name, *service.part.template.made_by):
        container = stack.services[name].container
        if container is None:
            return None
        image_id = await engine.image_id(container.image)
        digest.update(repr((image_id, container.command, container.entrypoint, container.user)).encode())
        digest.update(repr(sorted(stack.services[name].environment.items())).encode())
    for file in service.part.template.depends_on_files:
        digest.update((stack.project / file).read_bytes())
    key = digest.hexdigest()[:_KEY_LENGTH]
    return VolumeTemplate(engine, session, service.name, service.container.image, volume, key)


def sized_in_blocks(options: Mapping[str, str]) -> dict[str, str]:
    """The options of a volume in memory, with its size in the kernel's blocks; of any other volume, as they are.

    Source: https://docs.kernel.org/filesystems/tmpfs.html (``size``, ``nr_blocks``)
    """
    if options.get("type") != "tmpfs":
        return dict(options)
    block_bytes = os.sysconf("SC_PAGE_SIZE")
    return {
        **options,
        "o": _SIZE.sub(lambda found: f"nr_blocks={-(-size_bytes(found[1]) // block_bytes)}", options.get("o", "")),
    }


def _own_volume(stack: Stack, service: Service) -> str | None:
    """The first volume that this service alone writes to, and that outlives its container."""
    for volume in named_volumes(service):
        others = (other for other in stack.services.values() if other.name != service.name)
        plain = not stack.volumes.get(volume, Volume()).options
        if plain and all(volume not in named_volumes(other) for other in others):
            return volume
    return None


def named_volumes(service: Service) -> list[str]:
    """The named volumes that a service mounts."""
    mounts = service.container.mounts if service.container is not None else ()
    return [mount.volume for mount in mounts if isinstance(mount, VolumeMount) and mount.volume is not None]
