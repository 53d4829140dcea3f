"""Where ``${NAME}`` and a service's environment get their values from, besides the environment of the command itself.

Source: https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from harness.errors import StackError
from harness.stack.compose import ComposeService
from harness.stack.source import Source


def dot_env(folder: Path) -> dict[str, str]:
    """What ``.env`` beside a compose file says, if there is one; a name without a value says nothing."""
    return {name: value for name, value in dotenv_values(folder / ".env").items() if value is not None}


def own_variables(source: Source, *, relaxed: bool) -> dict[str, str]:
    """What the file says itself, under ``x-harness``: ``variables``, and ``relaxed`` where that is wanted.

    Args:
        source: the file, before its variables are replaced.
        relaxed: whether durability may be given up for speed.
    """
    found: dict[str, str] = {}
    for key in ("variables", *(["relaxed"] if relaxed else [])):
        values = _harness_part(source).get(key)
        found |= {str(name): str(value) for name, value in values.items()} if isinstance(values, dict) else {}
    return found


def secret_names(source: Source) -> list[str]:
    """The variables whose values are secrets."""
    names = _harness_part(source).get("secrets")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _harness_part(source: Source) -> Mapping[str, object]:
    part = source.data.get("x-harness") if isinstance(source.data, dict) else None
    return part if isinstance(part, dict) else {}


def environment_of(source: Source, name: str, service: ComposeService, given: Mapping[str, str]) -> dict[str, str]:
    """A service's environment: its files first, then its own keys; one without a value is passed on, if it is set.

    Raises:
        StackError: an ``env_file`` does not exist.
    """
    written: dict[str, str | None] = {}
    for index, file in enumerate(service.env_file):
        path = source.path.parent / file
        if not path.is_file():
            where = source.where(("services", name, "env_file", index))
            raise StackError(f"{where}: {path} does not exist")
        written |= dotenv_values(path)
    written |= service.environment
    passed_on = {key: given.get(key) if value is None else value for key, value in written.items()}
    return {key: value for key, value in passed_on.items() if value is not None}
