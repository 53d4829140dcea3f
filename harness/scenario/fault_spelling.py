"""How a scenario spells a fault: its name, or its name with its settings (``is: {latency: {delay_ms: 500}}``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from harness.faults.fault import Fault
from harness.faults.registry import BUILT_IN, known_faults


def _fault(value: object) -> object:
    """A fault is written as its name, or as its name with its settings: ``is: {latency: {delay_ms: 500}}``."""
    if isinstance(value, Fault):
        return value
    name: object = value
    settings: object = {}
    if isinstance(value, dict) and len(value) == 1:
        name, settings = next(iter(value.items()))
    faults = known_faults()
    fault = faults.get(name) if isinstance(name, str) else None
    if fault is None:
        raise ValueError(f"unknown fault {name!r}; there are: {', '.join(faults)}")
    if not isinstance(settings, dict):
        raise ValueError(f"the settings of {name} are a mapping")  # noqa: TRY004 - pydantic reports ValueError with its place
    return fault.model_validate(settings)


def _fault_schema() -> dict[str, object]:
    plain = [name for name, fault in BUILT_IN.items() if not _required(fault)]
    settled = [
        {
            "type": "object",
            "description": fault.__doc__,
            "properties": {
                name: {
                    "type": "object",
                    "properties": _settings(fault),
                    "required": _required(fault),
                    "additionalProperties": False,
                }
            },
            "required": [name],
            "additionalProperties": False,
        }
        for name, fault in BUILT_IN.items()
        if _settings(fault)
    ]
    return {"anyOf": [{"enum": plain}, *settled]}


def _settings(fault: type[Fault]) -> dict[str, object]:
    properties: dict[str, object] = fault.model_json_schema()["properties"]
    return {name: schema for name, schema in properties.items() if name != "kind"}


def _required(fault: type[Fault]) -> list[str]:
    return [name for name in fault.settings() if fault.model_fields[name].is_required()]


def _as_written(fault: Fault) -> dict[str, object]:
    settings = fault.model_dump(exclude_none=True)
    return {settings.pop("kind"): settings}


AnyFault = Annotated[Fault, BeforeValidator(_fault), PlainSerializer(_as_written), WithJsonSchema(_fault_schema())]
