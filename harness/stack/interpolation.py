"""Compose's own ``${VARIABLE:-default}`` in the values of a compose file.

Source: https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import StackError
from harness.stack.source import KeyPath, Source

_PATTERN = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<rule>:?[-?+])(?P<word>[^}]*))?\}|(?P<bad>))",
    re.ASCII,
)


def interpolate(source: Source, variables: Mapping[str, str]) -> Source:
    """The same document with every variable in its values replaced.

    Raises:
        StackError: a required variable (``${NAME:?message}``) is missing, or a ``$`` stands alone.
    """
    return Source(path=source.path, data=_value(source, source.data, (), variables), lines=source.lines)


def _value(source: Source, value: object, path: KeyPath, variables: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _text(source, value, path, variables)
    if isinstance(value, dict):
        return {key: _value(source, item, (*path, key), variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(source, item, (*path, index), variables) for index, item in enumerate(value)]
    return value


def _text(source: Source, text: str, path: KeyPath, variables: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["plain"] or match["name"]
        if name is None:
            raise StackError(f"{source.where(path)}: a lone '$' in {text!r}; write '$$' for a dollar sign")
        return _lookup(source, path, name, match["rule"] or "", match["word"] or "", variables)

    return _PATTERN.sub(replace, text)


def _lookup(source: Source, path: KeyPath, name: str, rule: str, word: str, variables: Mapping[str, str]) -> str:
    given = variables.get(name)
    present = given is not None and (given != "" or not rule.startswith(":"))
    match rule.removeprefix(":"):
        case "-":
            return given if present and given is not None else word
        case "+":
            return word if present else ""
        case "?" if not present:
            raise StackError(f"{source.where(path)}: the variable {name} is required: {word or 'set it'}")
        case _:
            return given or ""
