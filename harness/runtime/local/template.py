"""A template: a service's state that is made once, kept, and copied for each session."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetUpError
from harness.stack.stack import Service, Stack

_KEY_LENGTH = 16
_COPY_DEADLINE_S = 120


@dataclass(frozen=True, slots=True)
class Template:
    """Where a service's template is kept.

    Args:
        path: the kept directory; it does not exist until the template has been made.
        inside: the directory's place within the service's data.
        made_by: the one-shot services that fill it.
    """

    path: Path
    inside: str
    made_by: tuple[str, ...]

    async def keep(self, data: Path) -> None:
        """Copy what was made, whole or not at all, so that no session ever sees half a template.

        Raises:
            SetUpError: it could not be copied.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            # cp keeps the owner, which matters when the server runs as another user.
            copy = await asyncio.create_subprocess_exec("cp", "-a", str(data / self.inside), str(unfinished))
            async with asyncio.timeout(_COPY_DEADLINE_S):
                if await copy.wait() != 0:
                    raise SetUpError(f"the template {self.path} could not be kept: is the disk full?")
            try:
                unfinished.rename(self.path)
            except OSError:
                if not self.path.is_dir():
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def template_of(stack: Stack, service: Service, cache: Path) -> Template | None:
    """The template of a service, if it has one; its name changes with everything that it is made from."""
    declared = service.part.template
    if declared is None:
        return None
    digest = hashlib.sha256(f"{sys.version_info[:2]} {platform.machine()} {sys.platform}".encode())
    for name in (service.name, *declared.made_by):
        made_from = stack.services[name]
        digest.update(repr((made_from.part.run, sorted(made_from.environment.items()))).encode())
        digest.update(repr(sorted(made_from.part.environment.items())).encode())
    for name in declared.depends_on_files:
        digest.update((stack.project / name).read_bytes())
    path = cache / "templates" / f"{service.name}-{digest.hexdigest()[:_KEY_LENGTH]}"
    return Template(path=path, inside=declared.path, made_by=tuple(declared.made_by))
