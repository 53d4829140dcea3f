"""All images of a stack: from a registry's bases, or offline where none can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import SetUpError
from harness.images import environment
from harness.images.alone import alone
from harness.images.base import PYTHON
from harness.images.builder import Builder, Say
from harness.images.engine import ImageEngine
from harness.images.image import STAND_INS, chosen, images_of, taken_by
from harness.stack.stack import Stack

_OFFICIAL_PYTHON = "python:3.11-slim-bookworm"
# What the compose file's variables stand for when everything was made offline.
_OFFLINE_NAMES = {"PYTHON_IMAGE": PYTHON.name} | {variable: image.name for variable, image in STAND_INS.items()}


def must_be_offline(engine: ImageEngine, cache: Path, say: Say) -> bool:
    """Find out whether the official base can be had: it is there, or one attempt to pull it goes well.

    Args:
        engine: whose images.
        cache: where the last build noted how it was done.
        say: told what was decided, and why.
    """
    if engine.find(_OFFICIAL_PYTHON) is not None:
        return False
    if environment.read(cache).get("PYTHON_IMAGE") == PYTHON.name:
        say("builds offline, as the last time (--online asks the registry again)")
        return True
    try:
        engine.pull(_OFFICIAL_PYTHON)
    except SetUpError as error:
        say(f"builds offline: {error}")
        return True
    return False


def build_images(
    stack: Stack, names: Sequence[str], engine: ImageEngine, cache: Path, *, offline: bool, say: Say
) -> list[str]:
    """Bring the stack's images and the harness's own up to date, and note by which names they go.

    Args:
        stack: whose services say which images they need.
        names: those to build; all when there are none.
        engine: who builds and keeps them.
        cache: the directory for what is made once.
        offline: whether no registry can be reached.
        say: told what is being done, a line each.

    Returns:
        The names of those that were built or pulled.

    Raises:
        UsageError: there is no image of such a name.
        SetUpError: one could not be built.
    """
    images = chosen((*images_of(stack), *(STAND_INS.values() if offline else ())), names)
    with alone(cache):
        done = Builder(engine, cache, offline, say).bring_up_to_date(images)
        if not offline and not names:
            done += _pull_missing([name for name in taken_by(stack) if name not in done], engine, say)
        environment.write(cache, _OFFLINE_NAMES if offline else {})
    return done


def _pull_missing(names: Sequence[str], engine: ImageEngine, say: Say) -> list[str]:
    missing = [name for name in names if engine.find(name) is None]
    for name in missing:
        engine.pull(name)
        say(f"{name}  pulled")
    return missing
