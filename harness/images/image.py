"""Which images there are: those that the stack builds or takes, and the harness's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.images import base
from harness.images.base import Base
from harness.stack.container import Build
from harness.stack.stack import Stack

_OWN = Path(__file__).parent / "own"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is built here.

    Args:
        name: what it is called.
        build: from what.
        base: what it stands on where no registry can be reached.
    """

    name: str
    build: Build
    base: Base = base.PYTHON


# What the harness itself puts beside a stack.
OWN = (
    Image("trading-toxiproxy", Build(_OWN / "toxiproxy")),
    Image("trading-net-tools", Build(_OWN / "net-tools"), base=base.NET_TOOLS),
)
# Where no registry can be reached: the compose file's variable -> what stands in for an official image.
STAND_INS = {"POSTGRES_IMAGE": Image("trading-postgres", Build(_OWN / "postgres"))}


def images_of(stack: Stack) -> tuple[Image, ...]:
    """Give the images that the stack's services say how to build, and the harness's own, each once."""
    named = {
        service.container.image: Image(service.container.image, service.container.build)
        for service in stack.services.values()
        if service.container is not None and service.container.build is not None
    }
    own = {image.name: image for image in OWN}
    return tuple((named | own).values())


def taken_by(stack: Stack) -> list[str]:
    """Give the names of the images that the stack's services take as they are, each once."""
    taken = (service.container for service in stack.services.values())
    return list(dict.fromkeys(each.image for each in taken if each is not None and each.build is None))


def chosen(images: Sequence[Image], names: Sequence[str]) -> tuple[Image, ...]:
    """Give the images of these names; all when there are none.

    Raises:
        UsageError: there is no such image.
    """
    known = {image.name for image in images}
    for name in names:
        if name not in known:
            raise UsageError(f"{name!r} is not an image that is built here; there are: {', '.join(sorted(known))}")
    return tuple(image for image in images if not names or image.name in names)
