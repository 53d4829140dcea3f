"""The stub's faults as rows of a table: how each is written, with what parameters, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.faults.gateway.known import stub_catalogue
from harness.faults.gateway.sayings import SAYINGS


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """One fault of the stub.

    Args:
        written: how a scenario writes it.
        parameters: the names of its parameters.
        about: what happens.
        said: how a feature says it after the gateway's name.
    """

    written: str
    parameters: str
    about: str
    said: str


def gateway_rows() -> Iterator[GatewayRow]:
    """Every fault of the stub, in its own order."""
    said = {str(settings["gateway"]): phrase for phrase, settings in reversed([*SAYINGS.items()])}
    for name, fault in stub_catalogue().faults.items():
        phrase = said.get(name, f"has the gateway fault {name}")
        yield GatewayRow(f"gateway: {name}", ", ".join(fault.parameters) or "–", fault.about, f"… {phrase}")
