"""Triggers: when a fault starts. One of ``TRIGGERS``, told apart by its first key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from harness.faults.gateway.known import stub_catalogue
from harness.validated import Strict


class _Trigger(Strict):
    """What every trigger has.

    Class attributes:
        EXAMPLE: how a scenario writes it.
        STARTS: when the fault starts then, for people; begins in lower case.
    """

    EXAMPLE: ClassVar[str]
    STARTS: ClassVar[str]


class AtTime(_Trigger):
    """So many seconds after the drilled run was triggered."""

    EXAMPLE: ClassVar[str] = "{at_s: 2}"
    STARTS: ClassVar[str] = "so many seconds after the drilled run was started"

    at_s: float = Field(ge=0, le=3600)

    def __str__(self) -> str:
        return f"{self.at_s:g} s into the run"


class BeforeRun(_Trigger):
    """Before the drilled run is triggered: the workflow meets the fault from its first call on."""

    EXAMPLE: ClassVar[str] = "{before: run}"
    STARTS: ClassVar[str] = "before the drilled run is started"

    before: Literal["run"]

    def __str__(self) -> str:
        return "before the run"


class TaskState(_Trigger):
    """A task of the drilled run entered a state."""

    EXAMPLE: ClassVar[str] = "{task: place_order, state: running}"
    STARTS: ClassVar[str] = (
        "when the task is seen in that state, or must have been in it (a `running` task was `queued`)"
    )

    task: str
    state: Literal["scheduled", "queued", "running", "success", "failed", "up_for_retry", "skipped"] = "running"

    def __str__(self) -> str:
        return f"{self.task} is {self.state}"


class NthConnection(_Trigger):
    """The N-th connection that a service of the system opens over the fault's link, counted from the run's start."""

    EXAMPLE: ClassVar[str] = "{connection: 3}"
    STARTS: ClassVar[str] = "when the client has opened so many connections over the link, counted from the run's start"

    connection: int = Field(ge=1, le=10_000)

    def __str__(self) -> str:
        return f"connection {self.connection} over the link"


class OrderAtBroker(_Trigger):
    """The broker's ledger shows that the N-th order of the drilled run was received."""

    EXAMPLE: ClassVar[str] = "{order: 1}"
    STARTS: ClassVar[str] = "when the broker's ledger has that order"

    order: int = Field(ge=1, le=1000)

    def __str__(self) -> str:
        return f"order {self.order} is at the broker"


class NthRequest(_Trigger):
    """The gateway stub is to answer the N-th request of a kind: its fault is on before that one is answered."""

    EXAMPLE: ClassVar[str] = "{request: placeOrder, nth: 3}"
    STARTS: ClassVar[str] = (
        "before the gateway stub answers that request, counted from the run's start; only a fault of the gateway can"
    )

    request: str = Field(json_schema_extra={"enum": [*stub_catalogue().requests]})
    nth: int = Field(default=1, ge=1, le=1_000_000)

    @field_validator("request")
    @classmethod
    def _known(cls, request: str) -> str:
        if request not in (known := stub_catalogue().requests):
            raise ValueError(f"no client sends a request {request!r}; there are: {', '.join(known)}")
        return request

    def __str__(self) -> str:
        return f"{self.request} number {self.nth} is to be answered"


Trigger = AtTime | BeforeRun | TaskState | NthConnection | OrderAtBroker | NthRequest

TRIGGERS: Mapping[str, type[Trigger]] = {
    "before": BeforeRun,
    "at_s": AtTime,
    "task": TaskState,
    "connection": NthConnection,
    "order": OrderAtBroker,
    "request": NthRequest,
}


def _told_apart(value: object) -> object:
    """Pick the trigger by its key, so that an error speaks of that trigger only."""
    if not isinstance(value, dict):
        return value
    for key, trigger in TRIGGERS.items():
        if key in value:
            return trigger.model_validate(value)
    raise ValueError(f"a trigger begins with one of: {', '.join(TRIGGERS)}")


AnyTrigger = Annotated[Trigger, BeforeValidator(_told_apart)]
