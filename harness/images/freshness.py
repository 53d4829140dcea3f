"""Whether a stack's images are there, and made from the sources that are here now."""

from __future__ import annotations

from harness.errors import SetUpError
from harness.images.context import digest_of
from harness.images.engine import INPUTS, ImageEngine
from harness.images.image import OWN, STAND_INS, images_of
from harness.stack.container import Build
from harness.stack.stack import Stack

_DEFAULT = "docker-compose.test.yml"


def require_fresh(stack: Stack, engine: ImageEngine) -> None:
    """Refuse to run a stack on images that are missing, or older than what they are made from.

    Args:
        stack: whose images, with those that the harness puts beside it.
        engine: who keeps them.

    Raises:
        SetUpError: one is; in one line, and the evidence names them all.
    """
    if wrong := out_of_date(stack, engine):
        first, *further = wrong
        also = f" (and {len(further)} more)" if further else ""
        raise SetUpError(first + also, evidence="\n".join(wrong) if further else "")


def out_of_date(stack: Stack, engine: ImageEngine) -> list[str]:
    """Say of each image that is missing or older than its sources what is wrong with it, and what to do.

    One that the harness has not built does not say from which sources: to drill it would be to guess.

    Args:
        stack: whose images, with those that the harness puts beside it.
        engine: who keeps them.

    Raises:
        SetUpError: the engine does not answer, or a source cannot be read.
    """
    built_here = {image.name: image for image in (*images_of(stack), *STAND_INS.values())}
    used = [service.container.image for service in stack.services.values() if service.container is not None]
    build = "`harness images build`" if stack.path.name == _DEFAULT else f"`harness images build --stack {stack.path}`"
    wrong: list[str] = []
    for name in dict.fromkeys([*used, *(image.name for image in OWN)]):
        found = engine.find(name)
        if found is None and name not in built_here:
            wrong.append(f"image {name} is missing: `docker pull {name}`, or {build} where no registry answers")
        elif found is None:
            wrong.append(f"image {name} is missing: run {build}")
        elif name in built_here and INPUTS not in found.labels:
            wrong.append(f"image {name} does not say from which sources it was built: run {build}")
        elif name in built_here and found.labels[INPUTS] != _digest(name, built_here[name].build):
            wrong.append(f"image {name} is older than its sources: run {build}")
    return wrong


def _digest(name: str, build: Build) -> str:
    try:
        return digest_of(build)
    except OSError as error:
        raise SetUpError(f"the sources of image {name} cannot be read: {error.filename}: {error.strerror}") from error
