"""A scenario, as its file is written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from harness.checks.registry import PROMISES
from harness.faults.link.fault import LinkFault
from harness.faults.registry import LINK_FAULTS
from harness.scenario.triggers import AnyTrigger, BeforeRun


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _fault(value: object) -> object:
    """A fault is written as its name, or as its name with its settings: ``is: {latency: {delay_ms: 500}}``."""
    if isinstance(value, LinkFault):
        return value
    name: object = value
    settings: object = {}
    if isinstance(value, dict) and len(value) == 1:
        name, settings = next(iter(value.items()))
    fault = LINK_FAULTS.get(name) if isinstance(name, str) else None
    if fault is None:
        raise ValueError(f"unknown fault {name!r}; there are: {', '.join(LINK_FAULTS)}")
    if not isinstance(settings, dict):
        raise ValueError(f"the settings of {name} are a mapping")  # noqa: TRY004 - pydantic reports ValueError with its place
    return fault.model_validate(settings)


def _fault_schema() -> dict[str, object]:
    plain = [name for name, fault in LINK_FAULTS.items() if not _settings(fault)]
    settled = [
        {
            "type": "object",
            "description": fault.__doc__,
            "properties": {
                name: {
                    "type": "object",
                    "properties": _settings(fault),
                    "required": list(_settings(fault)),
                    "additionalProperties": False,
                }
            },
            "required": [name],
            "additionalProperties": False,
        }
        for name, fault in LINK_FAULTS.items()
        if _settings(fault)
    ]
    return {"anyOf": [{"enum": plain}, *settled]}


def _settings(fault: type[LinkFault]) -> dict[str, object]:
    properties: dict[str, object] = fault.model_json_schema()["properties"]
    return {name: schema for name, schema in properties.items() if name != "kind"}


def _as_written(fault: LinkFault) -> dict[str, object]:
    settings = fault.model_dump()
    return {settings.pop("kind"): settings}


AnyFault = Annotated[LinkFault, BeforeValidator(_fault), PlainSerializer(_as_written), WithJsonSchema(_fault_schema())]


class Injection(_Strict):
    """One fault of the scenario: on which link, what, and when.

    Args:
        link: a link of the stack, ``client -> server`` (with ``:port`` when there are several).
        fault: what goes wrong.
        start: the trigger that switches it on.
        for_s: how long it lasts.
    """

    link: str
    fault: AnyFault = Field(alias="is")
    start: AnyTrigger = Field(alias="from", default=BeforeRun(before="run"))
    for_s: float = Field(gt=0, le=600)


class WorkflowPart(_Strict):
    """What the workflow is asked to do."""

    symbols: list[str] = Field(default=["AAPL"], min_length=1, max_length=20)


class BrokerPart(_Strict):
    """How the gateway stand-in behaves in this scenario.

    Args:
        fill_delay_s: the time between an order's acknowledgement and its fill.
    """

    fill_delay_s: float = Field(default=0.1, ge=0, le=60)


class Scenario(_Strict):
    """A scenario.

    Args:
        name: what it is called; the file has the same name.
        about: one sentence for people.
        promises: the promises that must hold; all of them when left out.
        workflow: what the workflow is asked to do.
        broker: how the gateway stand-in behaves.
        faults: what goes wrong.
        outcomes: how the drilled run may end, by the system's own word.
        run_limit_s: the longest that the drilled run may take.
        recovery_limit_s: the longest that the system may take to be back to normal after the last heal.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    about: str = Field(max_length=300)
    promises: list[Literal[tuple(PROMISES)]] = Field(default_factory=lambda: list(PROMISES), min_length=1)  # type: ignore[valid-type]
    workflow: WorkflowPart = WorkflowPart()
    broker: BrokerPart = BrokerPart()
    faults: list[Injection] = Field(default_factory=list, max_length=20)
    outcomes: list[Literal["success", "degraded", "failed"]] = Field(default=["success"], min_length=1)
    run_limit_s: float = Field(default=120, gt=0, le=3600)
    recovery_limit_s: float = Field(default=60, gt=0, le=3600)
