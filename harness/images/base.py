"""Base images made from the distribution's own packages, for machines that no registry can be reached from."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetUpError
from harness.images.engine import INPUTS, ImageEngine
from harness.images.program import run_program

_SUITE = "bookworm"
# What is not read in a container: a third of the size.
_LEFT_OUT = ("doc", "man", "info", "locale", "lintian")
_OPTIONS = (
    "--variant=minbase",
    "--format=tar",
    "--skip=check/empty",
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in _LEFT_OUT),
)


@dataclass(frozen=True, slots=True)
class Base:
    """A base image.

    Args:
        name: what it is called here.
        packages: of the distribution, beside the least that it needs.
        command: what it runs unless it is told otherwise.
    """

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def recipe(self) -> str:
        """The digest of everything that it is made from, but for the packages' versions."""
        return hashlib.sha256(repr((_SUITE, _OPTIONS, self.packages, self.command)).encode()).hexdigest()


PYTHON = Base(
    "local/python:3.11-slim-bookworm",
    ("python3", "python3-venv", "python-is-python3", "ca-certificates"),
    ("python3",),
)
NET_TOOLS = Base("local/net-tools:bookworm", ("iptables", "iproute2"), ("bash",))


def ensure(base: Base, engine: ImageEngine, cache: Path) -> bool:
    """Make a base image unless the engine has it as it should be.

    Args:
        base: which.
        engine: who keeps it.
        cache: where there is room for its tar.

    Returns:
        Whether it was made.

    Raises:
        SetUpError: it could not be made.
    """
    found = engine.find(base.name)
    if found is not None and found.labels.get(INPUTS) == base.recipe:
        return False
    if (mmdebstrap := shutil.which("mmdebstrap")) is None:
        raise SetUpError(f"making {base.name} needs mmdebstrap, which is not here: run `make engine`")
    with tempfile.TemporaryDirectory(prefix="base-", dir=cache) as workshop:
        archive = Path(workshop) / "base.tar"
        _debootstrap(mmdebstrap, base, archive)
        changes = (
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8",
            f"LABEL {INPUTS}={base.recipe}",
            f"CMD {json.dumps(list(base.command))}",
        )
        engine.load_base(base.name, archive, changes)
    return True


def _debootstrap(mmdebstrap: str, base: Base, archive: Path) -> None:
    # It takes the machine's own apt sources.
    command = [mmdebstrap, *_OPTIONS, f"--include={','.join(base.packages)}", _SUITE, str(archive)]
    run_program(command, f"making {base.name} with mmdebstrap")
