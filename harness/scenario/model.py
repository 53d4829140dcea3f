"""A scenario, as its file is written."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from harness.checks.registry import BUILT_IN
from harness.faults.gateway.fault import GatewayFault
from harness.faults.gateway.known import stub_catalogue
from harness.scenario.fault_spelling import AnyFault
from harness.scenario.targets import TARGET_KINDS, TargetKind
from harness.scenario.triggers import AnyTrigger, BeforeRun, NthRequest
from harness.validated import Strict


class Injection(Strict):
    """One fault of the scenario: on which link or service, what, and when.

    Args:
        link: a link of the stack, ``client -> server`` (with ``:port`` when there are several), for a fault of a link.
        service: a service of the stack, for a fault of a service.
        fault: what goes wrong.
        start: the trigger that switches it on.
        until: the event that ends it, in place of a time: ``run-ended``, when the drilled run is over or is given up.
        for_s: how long it lasts; a fault that is over by itself (a restart) has none.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in TARGET_KINDS]})

    link: str | None = None
    service: str | None = None
    fault: AnyFault = Field(alias="is")
    start: AnyTrigger = Field(alias="from", default=BeforeRun(before="run"))
    until: Literal["run-ended"] | None = None
    for_s: float | None = Field(default=None, gt=0, le=600, validate_default=True)

    @property
    def target(self) -> str:
        """What the fault is on, as the scenario names it."""
        return str(getattr(self, self.fault.TARGET))

    @property
    def target_kind(self) -> TargetKind:
        """What kind of target that is."""
        return TARGET_KINDS[self.fault.TARGET]

    @property
    def lasts_s(self) -> float:
        """How long it lasts once it is on, as far as a time ends it."""
        return self.for_s or 0.0

    @field_validator("fault")
    @classmethod
    def _of_its_target(cls, fault: AnyFault, info: ValidationInfo) -> AnyFault:
        named = [kind for kind in TARGET_KINDS if info.data.get(kind)]
        if len(named) > 1:
            either = " or ".join(f"a {kind}" for kind in named)
            raise ValueError(f"is for {either}, not for several: write one of {', '.join(map(repr, named))}")
        if named != [fault.TARGET]:
            example = TARGET_KINDS[fault.TARGET].example
            raise ValueError(f"'{fault.name()}' is a fault of a {fault.TARGET}: write {example}")
        return fault

    @field_validator("start")
    @classmethod
    def _that_can_start_it(cls, start: AnyTrigger, info: ValidationInfo) -> AnyTrigger:
        fault = info.data.get("fault")
        if isinstance(start, NthRequest) and fault is not None and not isinstance(fault, GatewayFault):
            raise ValueError(f"only a fault of the gateway can come with a request, and '{fault.name()}' is none")
        return start

    @field_validator("for_s")
    @classmethod
    def _as_long_as_it_lasts(cls, for_s: float | None, info: ValidationInfo) -> float | None:
        fault, until = info.data.get("fault"), info.data.get("until")
        if fault is not None and not fault.LASTS and (for_s, until) != (None, None):
            raise ValueError(f"a {fault.name()} is over by itself; leave out 'for_s' and 'until'")
        if for_s is not None and until is not None:
            raise ValueError("either a time ends a fault or an event does: write one of 'for_s' and 'until'")
        if fault is not None and fault.LASTS and (for_s, until) == (None, None):
            raise ValueError("is required, or 'until: run-ended'")
        return for_s


# A stack's own probes are promises too, which only a file that names them knows.
PromiseName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", json_schema_extra={"examples": list(BUILT_IN)})]


class WorkflowPart(Strict):
    """What the workflow is asked to do."""

    symbols: list[str] = Field(default=["AAPL"], min_length=1, max_length=20)


_CLOCK = r"^(\d{4}-\d{2}-\d{2}T)?([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


class BrokerPart(Strict):
    """How the gateway stand-in behaves in this scenario, in the steady run as well.

    What goes wrong with orders (a part that is never completed, none filled, refused) is a fault of the gateway.

    Args:
        fill_delay_s: the time between an order's acknowledgement and its fill, and from one piece to the next.
        fill_pieces: in how many executions an order fills.
        price_moves: whether prices walk, or stand where they are.
        clock: when the drill begins at the broker, in New York: a date and a time, ``"2026-11-23T09:00"``, or a time of
            day, ``"09:00"``, of the first trading day from today on. Left out, it is the real time.
        hours: whether the exchange closes. Left out, it does where ``clock`` is given.
    """

    fill_delay_s: float = Field(default=0.1, ge=0, le=60)
    fill_pieces: int = Field(default=1, ge=1, le=100)
    price_moves: bool = False
    clock: Annotated[str, Field(pattern=_CLOCK)] | None = None
    hours: Literal["exchange", "always-open"] | None = None

    @field_validator("clock", mode="before")
    @classmethod
    def _is_text(cls, clock: object) -> object:
        if clock is not None and not isinstance(clock, str):
            raise ValueError('is read as a number or a date without quotes: write "09:00" or "2026-11-23T09:00"')
        return clock

    @field_validator("clock")
    @classmethod
    def _is_a_day_of_the_stub(cls, clock: str | None) -> str | None:
        if clock is not None and "T" in clock:
            first, last = stub_catalogue().clock_days
            # Also refuses a day that no month has.
            if not first <= date.fromisoformat(clock.partition("T")[0]) <= last:
                raise ValueError(f"the gateway stub knows trading days from {first} to {last}")
        return clock

    @property
    def settings(self) -> dict[str, JsonValue]:
        """How it fills orders and moves prices, by the stub's own names."""
        return self.model_dump(exclude={"clock", "hours"})

    @property
    def beginning(self) -> dict[str, JsonValue]:
        """What is not as the stub was started, by its own names: when the drill begins, and the hours."""
        return self.model_dump(include={"clock", "hours"}, exclude_none=True)


class Scenario(Strict):
    """A scenario.

    Args:
        name: what it is called; the file has the same name.
        about: one sentence for people.
        promises: the promises that must hold; when left out, all that the stack's adapters can check.
        workflow: what the workflow is asked to do.
        broker: how the gateway stand-in behaves.
        faults: what goes wrong.
        outcomes: how the drilled run may end, by the system's own word.
        run_limit_s: the longest that the drilled run may take.
        recovery_limit_s: the longest that the system may take to be back to normal, from when the drilled run is over
            and the last fault healed.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    about: str = Field(max_length=300)
    promises: list[PromiseName] = Field(default_factory=list)
    workflow: WorkflowPart = WorkflowPart()
    broker: BrokerPart = BrokerPart()
    faults: list[Injection] = Field(default_factory=list, max_length=20)
    outcomes: list[Literal["success", "degraded", "failed"]] = Field(default=["success"], min_length=1)
    run_limit_s: float = Field(default=120, gt=0, le=3600)
    recovery_limit_s: float = Field(default=60, gt=0, le=3600)
