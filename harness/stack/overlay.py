"""A file beside a compose file, which says what only a harness needs to know: the compose file stays as it is.

It looks like this::

    compose: docker-compose.yml
    only: [api, db]
    x-harness: {links: [...], adapters: {...}}
    services:
      api:
        x-harness: {ready: {...}}
      ib-gateway:
        image: trading-ibkr-gateway  # a stand-in in its place
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from harness.errors import StackError
from harness.stack.extends import merge
from harness.stack.source import Source, read_source, validate
from harness.validated import Strict

Fields = dict[str, object]
_PART = "x-harness"
# What stays of a service in whose place a stand-in runs: its names, and when it is started.
_NAMES = ("container_name", "hostname", "networks", "profiles")


class OverlayService(Strict):
    """What the overlay says of one service; all else is the compose file's.

    With an ``image``, a stand-in takes the service's place: of what the compose file says only the names stay under
    which the others find it. Nothing of the real one is started, and it gets none of its settings, logins or files.

    Args:
        image: the stand-in's.
        command: what it runs; as local processes ``x-harness.run`` says that.
        part: what only a harness needs to know.
    """

    image: str | None = None
    command: list[str] | None = None
    part: Fields = Field(default_factory=dict, alias=_PART)

    @model_validator(mode="after")
    def _of_an_image(self) -> Self:
        if self.command is not None and self.image is None:
            raise ValueError("a command is that of an image: name the stand-in's image too")
        return self


class Overlay(Strict):
    """The file.

    Args:
        compose: the compose file, which stands in the same folder.
        only: the services that a drill starts; all of them when it is left out.
        services: what is said of some of them.
        part: what is said of the whole.
    """

    compose: str
    only: list[str] = Field(default_factory=list)
    services: dict[str, OverlayService] = Field(default_factory=dict)
    part: Fields = Field(alias=_PART)


def read_stack_source(path: Path) -> Source:
    """Read a compose file, or an overlay and the compose file that it lies over.

    Raises:
        StackError: a file is missing or wrong, or the overlay names what the compose file does not have.
    """
    source = read_source(path, StackError)
    if not isinstance(source.data, dict) or "compose" not in source.data:
        return source
    overlay = validate(source, Overlay, StackError)
    if Path(overlay.compose).name != overlay.compose:
        raise StackError(f"{source.where(('compose',))}: names a file of the same folder, not {overlay.compose!r}")
    under = read_source(path.parent / overlay.compose, StackError)
    written = under.data if isinstance(under.data, dict) else {}
    services = written.get("services")
    if not isinstance(services, dict):
        raise StackError(f"{under.path}: has no services")
    for place, names in (("only", overlay.only), ("services", [*overlay.services])):
        for name in names:
            if name not in services:
                raise StackError(
                    f"{source.where((place, name))}: {name!r} is not a service of {under.path}; "
                    f"there are: {', '.join(services)}"
                )
    laid = {name: _laid_over(service, overlay, name) for name, service in services.items() if _wanted(overlay, name)}
    part = merge(_mapping(written.get(_PART)), overlay.part)
    return Source(path=path, data={**written, "services": laid, _PART: part}, lines=source.lines, under=under)


def _wanted(overlay: Overlay, name: str) -> bool:
    return not overlay.only or name in overlay.only


def _laid_over(service: object, overlay: Overlay, name: str) -> object:
    if not isinstance(service, dict):
        return service
    laid: Fields = dict(service)
    said = overlay.services.get(name)
    if said is not None and said.image is not None:
        laid = {key: laid[key] for key in _NAMES if key in laid}
        laid["image"] = said.image
        if said.command is not None:
            laid["command"] = said.command
        laid[_PART] = {**said.part, "stands_in": True}
    elif said is not None:
        laid[_PART] = merge(_mapping(service.get(_PART)), said.part)
    if overlay.only:
        # As with Compose, a service that is named runs, with any profiles.
        laid.pop("profiles", None)
        needed = laid.get("depends_on")
        if isinstance(needed, dict):
            laid["depends_on"] = {other: how for other, how in needed.items() if other in overlay.only}
        elif isinstance(needed, list):
            laid["depends_on"] = [other for other in needed if other in overlay.only]
    return laid


def _mapping(value: object) -> Fields:
    return value if isinstance(value, dict) else {}
