"""A fault of the broker's gateway: one of those that the gateway stub can do, with its parameters."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, JsonValue, model_validator

from harness.faults.fault import Fault
from harness.faults.gateway.known import parameters_schema, stub_catalogue, wrong_parameters
from harness.faults.gateway.sayings import SAYINGS

_OWN = ("kind", "gateway", "times", "parameters")


class GatewayFault(Fault):
    """The stub does what its fault of that name does.

    A scenario writes it flat: ``is: {gateway: order-rejected, times: 1, reason: NO MONEY}``.

    Args:
        gateway: the stub's name of the fault.
        times: how often it hits at most; what it holds back stays so until it is lifted.
        parameters: the fault's own, by the stub's names of them.
    """

    kind: Literal["gateway"] = "gateway"
    gateway: str
    times: int | None = Field(default=None, ge=1, le=1_000_000)
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    TARGET: ClassVar[str] = "service"
    SPELLED_FLAT: ClassVar[bool] = True
    IN_LOGS: ClassVar[str] = (
        r"(?i)error|warn|refus|reset|time[d]?[ _-]?out|disconnect|closed|reject|cancel|inactive|not connected"
    )
    ABOUT: ClassVar[str] = "{gateway}"
    SENTENCE: ClassVar[str] = "the gateway stub does one of its own faults, named with its parameters"
    PHRASES: ClassVar[tuple[str, ...]] = ("has the gateway fault {gateway}",)
    PROOF_ON: ClassVar[str] = "the stub says that the fault is on"
    PROOF_HEALED: ClassVar[str] = "the stub says that it is lifted; a client gets an answer; probes are answered"

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, written: object) -> object:
        if not isinstance(written, dict):
            return written
        own = {key: value for key, value in written.items() if key in _OWN}
        flat = {key: value for key, value in written.items() if key not in _OWN}
        return {**own, "parameters": {**own.get("parameters", {}), **flat}} if flat else own

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        faults = stub_catalogue().faults
        if self.gateway not in faults:
            near = difflib.get_close_matches(self.gateway, faults, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"the gateway stub has no fault {self.gateway!r}: {hint}it has: {', '.join(faults)}")
        if wrong := wrong_parameters(self.gateway, self.parameters):
            raise ValueError(wrong)
        return self

    @property
    def about(self) -> str:
        """The fault with its settings, in a word or two."""
        given = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        return f"{self.gateway} ({given})" if given else self.gateway

    @classmethod
    def sayings(cls) -> Mapping[str, Mapping[str, object]]:
        """How features say it: the most used ones have phrases of their own."""
        return {**super().sayings(), **SAYINGS}

    def as_written(self) -> dict[str, object]:
        """As a scenario writes it."""
        times = {} if self.times is None else {"times": self.times}
        return {"gateway": self.gateway, **times, **self.parameters}

    @classmethod
    def spellings(cls) -> Sequence[Mapping[str, object]]:
        """The JSON Schema of each of the stub's faults."""
        return [_spelling(name) for name in stub_catalogue().faults]


def _spelling(name: str) -> Mapping[str, object]:
    schema = parameters_schema(name)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    times = {"type": "integer", "minimum": 1, "description": "how often it hits at most"}
    return {
        **schema,
        "description": stub_catalogue().faults[name].about,
        "properties": {"gateway": {"const": name}, "times": times, **properties},
        "required": ["gateway"],
    }
