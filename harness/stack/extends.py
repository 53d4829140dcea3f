"""Compose's ``extends``: a service that begins as another one, of this file or of another.

Source: https://docs.docker.com/reference/compose-file/services/#extends and .../merge/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from harness.errors import StackError
from harness.stack.source import KeyPath, Source

Read = Callable[[Path], Source]
Fields = dict[str, object]
# Lists in which the extending service's entries come after the extended one's.
_APPENDED = frozenset({"cap_add", "cap_drop", "expose", "ports", "security_opt", "volumes", "profiles", "env_file"})
# Mappings that may be written as lists.
_MAPPED = frozenset({"environment", "labels", "sysctls", "extra_hosts", "depends_on"})


def extend(source: Source, read: Read) -> Source:
    """The same document, with every ``extends`` carried out.

    Args:
        source: the document.
        read: reads another file, with its variables replaced.

    Raises:
        StackError: what is extended does not exist, or extends itself.
    """
    data = source.data
    if not isinstance(data, dict) or not isinstance(data.get("services"), dict):
        return source
    services = {name: _whole(source, name, read, ()) for name in data["services"]}
    return replace(source, data={**data, "services": services})


def _whole(source: Source, name: str, read: Read, seen: tuple[tuple[Path, str], ...]) -> object:
    services = source.data.get("services") if isinstance(source.data, dict) else None
    service = services.get(name) if isinstance(services, dict) else None
    if not isinstance(service, dict) or "extends" not in service:
        return service
    where: KeyPath = ("services", name, "extends")
    wanted = service["extends"]
    target = wanted if isinstance(wanted, dict) else {"service": wanted}
    file, other = target.get("file"), target.get("service")
    if not isinstance(other, str) or not isinstance(file, str | None) or set(target) - {"file", "service"}:
        raise StackError(f"{source.where(where)}: is written 'extends: {{service: NAME, file: PATH}}'")
    base_source = source if file is None else read(source.path.parent / file)
    here = (source.path, name)
    if here in seen:
        chain = " -> ".join(each for _, each in (*seen, here))
        raise StackError(f"{source.where(where)}: a service extends itself: {chain}")
    base = _whole(base_source, other, read, (*seen, here))
    if not isinstance(base, dict):
        raise StackError(f"{source.where(where)}: there is no service {other!r} in {base_source.path}")
    if file is not None:
        base = _moved(base, base_source.path.parent, source.path.parent)
    own = {key: value for key, value in service.items() if key != "extends"}
    return merge(base, own)


def merge(base: Mapping[str, object], own: Mapping[str, object]) -> Fields:
    """A service's keys over those that it extends: mappings are merged, some lists joined, the rest replaced."""
    merged: Fields = dict(base)
    for key, written in own.items():
        before, value = base.get(key), written
        if key in _MAPPED:
            before, value = _as_mapping(key, before), _as_mapping(key, written)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = merge(before, value)
        elif key in _APPENDED and before is not None:
            merged[key] = [*_as_list(before), *(item for item in _as_list(value) if item not in _as_list(before))]
        else:
            merged[key] = value
    return merged


def _as_mapping(key: str, value: object) -> object:
    if not isinstance(value, list):
        return value
    if key == "depends_on":
        return {name: {"condition": "service_started"} for name in value}
    separator = ":" if key == "extra_hosts" else "="
    pairs = [str(item).partition(separator) for item in value]
    return {name: text if found else None for name, found, text in pairs}


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _moved(service: Fields, there: Path, here: Path) -> Fields:
    """A service of another file, with that file's relative paths made absolute."""
    if there.resolve() == here.resolve():
        return service

    def absolute(path: object) -> object:
        return str((there / path).resolve()) if isinstance(path, str) and path.startswith((".", "..")) else path

    moved = dict(service)
    build = moved.get("build")
    if isinstance(build, str):
        moved["build"] = str((there / build).resolve())
    elif isinstance(build, dict) and isinstance(build.get("context"), str):
        moved["build"] = {**build, "context": str((there / str(build["context"])).resolve())}
    if "env_file" in moved:
        moved["env_file"] = [str((there / str(item)).resolve()) for item in _as_list(moved["env_file"])]
    if isinstance(moved.get("volumes"), list):
        moved["volumes"] = [
            {**item, "source": absolute(item.get("source"))}
            if isinstance(item, dict)
            else _moved_volume(item, absolute)
            for item in _as_list(moved["volumes"])
        ]
    return moved


def _moved_volume(item: object, absolute: Callable[[object], object]) -> object:
    source, colon, rest = str(item).partition(":")
    return f"{absolute(source)}{colon}{rest}"
