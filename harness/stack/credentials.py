"""Where the credentials of a stack come from; never what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from harness.stack.overlay import read_stack_source
from harness.stack.source import KeyPath, Source
from harness.stack.variables import dot_env, own_variables, secret_names

# A dollar sign that is doubled stands for itself.
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$\{?(?P<name>[A-Za-z_]\w*)", re.ASCII)


class Origin(StrEnum):
    """Where a secret of the stack was set; what is set nowhere is made up for each stack anew."""

    ENVIRONMENT = "environment"
    DOT_ENV = "dot-env"
    COMPOSE_FILE = "compose-file"
    MADE_UP = "made-up"


def secret_origins(path: Path, variables: Mapping[str, str]) -> dict[str, Origin]:
    """For each variable that ``x-harness.secrets`` names, where its value comes from, as ``load_stack`` has it.

    Args:
        path: the compose file.
        variables: those with which the stack was loaded.
    """
    source = read_stack_source(path)
    places = (
        (Origin.ENVIRONMENT, variables),
        (Origin.DOT_ENV, dot_env(path.parent)),
        (Origin.COMPOSE_FILE, own_variables(source, relaxed=False)),
    )

    def origin(name: str) -> Origin:
        # The first that has it counts, also where it is empty there: then it is made up.
        first = next(((each, values[name]) for each, values in places if name in values), None)
        return first[0] if first is not None and first[1] else Origin.MADE_UP

    return {name: origin(name) for name in secret_names(source)}


def read_from(path: Path, key: KeyPath) -> str:
    """Where a value of the compose file is read from: the variables that it names, else its own place in the file.

    Args:
        path: the compose file.
        key: where the value stands in it.
    """
    source = read_stack_source(path)
    value = _value_at(source, key)
    names = dict.fromkeys(match["name"] for match in _VARIABLE.finditer(value if isinstance(value, str) else ""))
    return ", ".join(names) or source.where(key)


def _value_at(source: Source, key: KeyPath) -> object:
    value = source.data
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value
