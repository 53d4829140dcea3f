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
    faults = known_faults()
    if isinstance(value, dict) and (flat := next((known for known in faults if _is_flat(known, value)), None)):
        return faults[flat].model_validate(value)
    if isinstance(value, dict) and len(value) == 1:
        name, settings = next(iter(value.items()))
    fault = faults.get(name) if isinstance(name, str) else None
    if fault is None:
        raise ValueError(f"unknown fault {name!r}; there are: {', '.join(faults)}")
    if not isinstance(settings, dict):
        raise ValueError(f"the settings of {name} are a mapping")  # noqa: TRY004 - pydantic reports ValueError with its place
    return fault.model_validate(settings)


def _is_flat(name: str, written: dict[object, object]) -> bool:
    return known_faults()[name].SPELLED_FLAT and name in written


def _fault_schema() -> dict[str, object]:
    plain = [name for name, fault in BUILT_IN.items() if not fault.required_settings()]
    return {"anyOf": [{"enum": plain}, *(each for fault in BUILT_IN.values() for each in fault.spellings())]}


def _as_written(fault: Fault) -> dict[str, object]:
    return fault.as_written()


AnyFault = Annotated[Fault, BeforeValidator(_fault), PlainSerializer(_as_written), WithJsonSchema(_fault_schema())]
