"""Compose's own ``${VARIABLE:-default}`` in the values of a compose file.

Source: https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from harness.errors import StackError
from harness.stack.source import KeyPath, Source

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RULE = re.compile(r":?[-?+]")


def interpolate(source: Source, variables: Mapping[str, str]) -> Source:
    """The same document with every variable in its values replaced.

    Raises:
        StackError: a required variable (``${NAME:?message}``) is missing, or a ``$`` stands alone.
    """
    return replace(source, data=_value(source, source.data, (), variables))


def _value(source: Source, value: object, path: KeyPath, variables: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _Text(source, path, variables).replaced(value)
    if isinstance(value, dict):
        return {key: _value(source, item, (*path, key), variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(source, item, (*path, index), variables) for index, item in enumerate(value)]
    return value


class _Text:
    """One value of the document; a default may hold variables in its turn.

    Args:
        source: the document.
        path: the value's place.
        variables: what a name stands for.
    """

    def __init__(self, source: Source, path: KeyPath, variables: Mapping[str, str]) -> None:
        self._where = source.where(path)
        self._variables = variables

    def replaced(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        while (dollar := text.find("$", at)) >= 0:
            parts.append(text[at:dollar])
            found, at = self._variable(text, dollar + 1)
            parts.append(found)
        return "".join([*parts, text[at:]])

    def _variable(self, text: str, at: int) -> tuple[str, int]:
        """What stands for the variable behind a dollar sign, and where the text goes on."""
        if text.startswith("$", at):
            return "$", at + 1
        if plain := _NAME.match(text, at):
            return self._variables.get(plain[0], ""), plain.end()
        name = _NAME.match(text, at + 1) if text.startswith("{", at) else None
        end = _closing_brace(text, at)
        if name is None or end is None:
            raise StackError(f"{self._where}: a lone '$' in {text!r}; write '$$' for a dollar sign")
        rule = _RULE.match(text, name.end())
        if rule is None and name.end() != end:
            raise StackError(f"{self._where}: {text[at - 1 : end + 1]!r} is not a variable: write ${{NAME:-default}}")
        word = text[rule.end() : end] if rule else ""
        return self._looked_up(name[0], rule[0] if rule else "", word), end + 1

    def _looked_up(self, name: str, rule: str, word: str) -> str:
        given = self._variables.get(name)
        present = given is not None and (given != "" or not rule.startswith(":"))
        match rule.removeprefix(":"):
            case "-":
                return given if present and given is not None else self.replaced(word)
            case "+":
                return self.replaced(word) if present else ""
            case "?" if not present:
                raise StackError(f"{self._where}: the variable {name} is required: {self.replaced(word) or 'set it'}")
            case _:
                return given or ""


def _closing_brace(text: str, opening: int) -> int | None:
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == "{" and (at == opening or text[at - 1] == "$"):
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return None
