"""YAML that remembers where each value stands, so that an error can name file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import UsageError

Key = str | int
KeyPath = tuple[Key, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML document, parsed, with the line of every key.

    Args:
        path: the file, as the user named it.
        data: the document as plain values.
        lines: for each key path, the line (from 1) on which it stands.
        under: the document over which this one lies, if there is one; ``data`` holds what comes of both.
    """

    path: Path
    data: object
    lines: Mapping[KeyPath, int]
    under: Source | None = None

    def line_of(self, path: Sequence[Key]) -> int:
        """The line of the value at ``path``, or of its nearest parent that stands in the file."""
        return self.lines.get(tuple(path[: self.depth(path)]), 1)

    def depth(self, path: Sequence[Key]) -> int:
        """How many keys of ``path`` stand in this file."""
        return next((end for end in range(len(path), 0, -1) if tuple(path[:end]) in self.lines), 0)

    def where(self, path: Sequence[Key]) -> str:
        """``file:line: key.path``, as editors and terminals make clickable."""
        if self.under is not None and self.under.depth(path) > self.depth(path):
            return self.under.where(path)
        dotted = ".".join(str(key) for key in path)
        return f"{self.path}:{self.line_of(path)}: {dotted}" if dotted else f"{self.path}:1"


def read_source(path: Path, error: type[UsageError]) -> Source:
    """Read a YAML file.

    Raises:
        UsageError: of the type ``error``, when the file is missing or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise error(f"{path}: cannot be read: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"{path}: is not UTF-8 text") from cause
    return parse_source(path, text, error)


def parse_source(path: Path, text: str, error: type[UsageError]) -> Source:
    """Parse YAML text that stands in ``path``.

    Raises:
        UsageError: of the type ``error``, when the text is not YAML.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else 1
        raise error(f"{path}:{line}: is not valid YAML: {cause.problem}") from cause
    except yaml.YAMLError as cause:
        raise error(f"{path}: is not valid YAML: {cause}") from cause
    lines: dict[KeyPath, int] = {}
    if root is not None:
        _note_lines(root, (), root.start_mark.line + 1, lines)
    return Source(path=path, data=data, lines=lines)


def _note_lines(node: yaml.Node, path: KeyPath, line: int, lines: dict[KeyPath, int]) -> None:
    lines[path] = line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name: Key = key.value
            _note_lines(value, (*path, name), key.start_mark.line + 1, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), value.start_mark.line + 1, lines)


def validate(source: Source, model: type[Model], error: type[UsageError]) -> Model:
    """Turn a document into ``model``.

    Raises:
        UsageError: of the type ``error``; its text names file, line, key and what is allowed, for the first thing that
            is wrong, and its evidence lists the others.
    """
    try:
        return model.model_validate(source.data)
    except ValidationError as cause:
        # A misspelled key first: what it is missed as comes from it.
        details = sorted(cause.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
        found = [_explain(source, detail, model) for detail in details]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise error(found[0] + more, evidence="\n".join(found[1:])) from cause


def _explain(source: Source, detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = _path_in_file(source, detail["loc"])
    where = source.where(path)
    if detail["type"] == "extra_forbidden":
        allowed = _allowed_beside(detail["loc"], model)
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        listed = f"; allowed: {', '.join(allowed)}" if allowed else ""
        return f"{where}: unknown key{hint}{listed}"
    if detail["type"] == "missing":
        return f"{where}: is required"
    message = detail["msg"].removeprefix("Value error, ")
    given = detail["input"]
    is_shown = (isinstance(given, str | int | float | bool) or given is None) and repr(given) not in message
    shown = f", got {given!r}" if is_shown else ""
    return f"{where}: {message[:1].lower()}{message[1:]}{shown}"


def _path_in_file(source: Source, loc: Sequence[Key]) -> list[Key]:
    """Pydantic's location without the parts that are its own (union tags), so that it exists in the file."""
    path: list[Key] = []
    for position, key in enumerate(loc):
        last = position == len(loc) - 1
        stands = source.depth((*path, key)) > len(path) or (
            source.under is not None and source.under.depth((*path, key)) > len(path)
        )
        if stands or last:
            path.append(key)
    return path


def _allowed_beside(loc: Sequence[Key], model: type[BaseModel]) -> list[str]:
    """The keys that the model knows at the place where an unknown one was found, as the file spells them."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    nodes = [schema]
    for key in loc[:-1]:
        nodes = [child for node in nodes for child in _children(node, key, definitions)] or nodes
    names = {name for node in nodes for name in _properties(node, definitions)}
    return sorted(names)


SchemaNode = dict[str, object]


def _resolved(node: object, definitions: Mapping[str, object]) -> list[SchemaNode]:
    if not isinstance(node, dict):
        return []
    if "$ref" in node:
        return _resolved(definitions.get(str(node["$ref"]).rsplit("/", 1)[-1]), definitions)
    branches = [*node.get("anyOf", []), *node.get("oneOf", []), *node.get("allOf", [])]
    return [node, *(leaf for branch in branches for leaf in _resolved(branch, definitions))]


def _children(node: object, key: Key, definitions: Mapping[str, object]) -> list[SchemaNode]:
    found: list[SchemaNode] = []
    for leaf in _resolved(node, definitions):
        properties = leaf.get("properties")
        if isinstance(properties, dict) and key in properties:
            found.extend(_resolved(properties[key], definitions))
        elif isinstance(key, int) and "items" in leaf:
            found.extend(_resolved(leaf["items"], definitions))
        elif isinstance(key, str) and isinstance(leaf.get("additionalProperties"), dict):
            found.extend(_resolved(leaf["additionalProperties"], definitions))
    return found


def _properties(node: object, definitions: Mapping[str, object]) -> list[str]:
    names: list[str] = []
    for leaf in _resolved(node, definitions):
        properties = leaf.get("properties")
        if isinstance(properties, dict):
            names.extend(properties)
    return names
