"""Builds images, those alone that are missing or differ from what they would be made from now."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar, cast

from harness.images import base, packages
from harness.images.context import Entry, digest_of, entries_of, pack, sources_of, tree
from harness.images.engine import BASE, INPUTS, ImageEngine, failure
from harness.images.image import Image
from harness.runtime.toxiproxy.build import find_or_build

Say = Callable[[str], None]
Item = TypeVar("Item")
Result = TypeVar("Result")
_MEGABYTE = 1_000_000
_FROM_REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds images with one engine.

    Args:
        engine: who builds and keeps them.
        cache: the directory for what is made once.
        offline: whether bases and packages are made or fetched before the builds, rather than by the engine.
        say: told what is being done, a line each.
    """

    engine: ImageEngine
    cache: Path
    offline: bool
    say: Say

    def bring_up_to_date(self, images: tuple[Image, ...]) -> list[str]:
        """Build those that are missing or not made from what is here now.

        Args:
            images: in this order.

        Returns:
            The names of those that were built.

        Raises:
            SetUpError: one could not be built.
        """
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            if self.offline:
                _at_once(self._ensure_base, {image.base for image in images})
            outcomes = _at_once(self._build_if_changed, images)
        except OSError as error:
            raise failure("building images", f"{error.filename or self.cache}: {error.strerror}") from error
        built = [image.name for image, was_built in zip(images, outcomes, strict=True) if was_built]
        if built:
            self.engine.remove_nameless()
        return built

    def _build_if_changed(self, image: Image) -> bool:
        arguments = dict(image.build.args)
        labels = {INPUTS: digest_of(image.build), BASE: image.base.recipe if self.offline else _FROM_REGISTRY}
        if self.offline:
            arguments["BASE_IMAGE"] = image.base.name
        there = self.engine.find(image.name)
        if there is not None and all(there.labels.get(name) == value for name, value in labels.items()):
            self.say(f"{image.name}  unchanged")
            return False
        started = time.monotonic()
        with tempfile.TemporaryFile(dir=self.cache) as file:
            context = cast("BinaryIO", file)
            pack([*entries_of(image.build), *self._prepared(image)], context)
            self.engine.build(
                image.name,
                context,
                image.build.dockerfile,
                target=image.build.target,
                arguments=arguments,
                labels=labels,
            )
        there = self.engine.find(image.name)
        size = there.size_bytes / _MEGABYTE if there is not None else 0
        self.say(f"{image.name}  built in {time.monotonic() - started:.1f} s, {size:.0f} MB")
        return True

    def _ensure_base(self, wanted: base.Base) -> None:
        started = time.monotonic()
        if base.ensure(wanted, self.engine, self.cache):
            self.say(f"{wanted.name}  made in {time.monotonic() - started:.1f} s")

    def _prepared(self, image: Image) -> Iterator[Entry]:
        """Give what a Dockerfile takes if it is there, and makes by itself otherwise."""
        if not self.offline:
            return
        for source in sources_of(image.build):
            place = PurePosixPath(source)
            if place.name == "packages*":
                name = str(place.with_name("packages"))
                yield from tree(
                    name, packages.fetch(image.build.context / place.parent / "requirements.txt", self.cache)
                )
            elif place.name == "toxiproxy-server*":
                yield Entry(str(place.with_name("toxiproxy-server")), find_or_build(self.cache))


def _at_once(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do it for every item, as many at a time as there are cores; the first that fails keeps the rest from starting."""
    pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="image")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(cancel_futures=True)
