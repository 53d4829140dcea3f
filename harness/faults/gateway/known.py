"""What the gateway stub can do. ``known.json`` is its own word, kept here so that a scenario is checked before a start.

The stub's own module prints it anew, and a test says when it is stale.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import BaseModel, ConfigDict, JsonValue

KNOWN_FILE = Path(__file__).with_name("known.json")
Schema = dict[str, JsonValue]


class StubFault(BaseModel):
    """One fault of the stub.

    Args:
        about: what happens.
        parameters: the JSON Schema of each of its parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    parameters: dict[str, Schema]


class StubCatalogue(BaseModel):
    """Everything that may be ordered of the stub.

    Args:
        requests: the names of the requests that clients may send.
        replies: the names of what it answers.
        clock_days: the first and the last day on which a drill may begin.
        faults: its faults, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: list[str]
    replies: list[str]
    clock_days: tuple[date, date]
    faults: dict[str, StubFault]


@functools.cache
def stub_catalogue() -> StubCatalogue:
    """What the stub can do."""
    return StubCatalogue.model_validate_json(KNOWN_FILE.read_bytes())


def parameters_schema(name: str) -> Schema:
    """The JSON Schema of the parameters of a fault, with the names that they may hold."""
    properties: dict[str, JsonValue] = {
        key: _with_names(schema) for key, schema in stub_catalogue().faults[name].parameters.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def wrong_parameters(name: str, parameters: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with the parameters of a fault, in one line; None if nothing is.

    Args:
        name: a fault of the stub.
        parameters: as a scenario writes them.
    """
    known = stub_catalogue().faults[name].parameters
    if unknown := [key for key in parameters if key not in known]:
        return f"{name} has no parameter {unknown[0]!r}; it has: {', '.join(known) or 'none'}"
    error = best_match(Draft202012Validator(parameters_schema(name)).iter_errors(dict(parameters)))
    return None if error is None else f"{name}: {error.json_path.removeprefix('$.')}: {error.message}"


def _with_names(schema: Schema) -> Schema:
    """A parameter's schema; where it is a name, or a list of names, with the names that there are."""
    kept = {key: value for key, value in schema.items() if key != "names"}
    names = {"requests": stub_catalogue().requests, "replies": stub_catalogue().replies}.get(str(schema.get("names")))
    if names is None:
        return kept
    given = kept.pop("anyOf", None)
    if isinstance(given, list) and any(isinstance(each, dict) and each.get("type") == "array" for each in given):
        return {**kept, "type": ["array", "null"], "items": {"enum": [*names]}, "uniqueItems": True}
    return {**kept, "enum": [*names, None]}
