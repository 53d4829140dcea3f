"""The events of a drill. Each is one line of ``history.jsonl``; times are seconds since the drill began."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from harness.history.measurements import EvidenceMissing, HarnessStalled, LinkUsed, OrderRecorded, ResourcesMeasured
from harness.history.roles import RunRole
from harness.validated import Strict


class ProbeOutcome(StrEnum):
    """What one attempt to use a link came to, seen from its client's side."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RESET = "reset"
    ENDED = "ended"
    SILENT = "silent"


class Witness(StrEnum):
    """Who tells that a fault hit the system."""

    LINK_PROBE = "link-probe"
    PROXY = "proxy"
    SYSTEM = "system"
    KERNEL = "kernel"
    GATEWAY = "gateway"


class Fate(StrEnum):
    """What became of a request, as its client knows it."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    UNKNOWN = "unknown"


class DrillStarted(Strict):
    """The drill began; ``wall`` is the UTC time at second 0."""

    kind: Literal["drill_started"] = "drill_started"
    scenario: str
    seed: int
    session: str
    wall: str


class PhaseBegan(Strict):
    """A phase of the drill began."""

    kind: Literal["phase_began"] = "phase_began"
    phase: str


class PhaseEnded(Strict):
    """A phase of the drill ended; ``failure`` says why when it did not end well."""

    kind: Literal["phase_ended"] = "phase_ended"
    phase: str
    took_s: float
    failure: str | None = None


class LinkProbed(Strict):
    """The harness used a link itself, while no fault should have been on it."""

    kind: Literal["link_probed"] = "link_probed"
    link: str
    outcome: ProbeOutcome
    elapsed_s: float
    as_expected: bool


class FaultObserved(Strict):
    """The harness checked for itself whether a fault is in effect on its target; ``saw`` is what it saw."""

    kind: Literal["fault_observed"] = "fault_observed"
    fault: str
    target: str
    saw: str
    as_expected: bool


class FaultOn(Strict):
    """A fault was switched on, on a link or a service; ``took_s`` is how long the switch took."""

    kind: Literal["fault_on"] = "fault_on"
    fault: str
    target: str
    what: str
    cause: str
    took_s: float


class FaultHit(Strict):
    """A witness tells how often the system's own traffic or work met a fault; ``are_attempts`` of tries."""

    kind: Literal["fault_hit"] = "fault_hit"
    fault: str
    witness: Witness
    count: int
    detail: str
    are_attempts: bool = False


class FaultOff(Strict):
    """A fault was lifted."""

    kind: Literal["fault_off"] = "fault_off"
    fault: str
    target: str


class FaultHealed(Strict):
    """What the fault was on is as before, and link_probes go through; ``took_s`` counts from the order to lift."""

    kind: Literal["fault_healed"] = "fault_healed"
    fault: str
    target: str
    took_s: float
    proxy_replaced: bool = False


class FaultNeverCame(Strict):
    """A fault's trigger did not happen, so it was never switched on."""

    kind: Literal["fault_never_came"] = "fault_never_came"
    fault: str
    cause: str


class ProxyReplaced(Strict):
    """A link's Toxiproxy hung or died, and another took its place; ``expected`` when the harness did it to heal."""

    kind: Literal["proxy_replaced"] = "proxy_replaced"
    link: str
    reason: str
    took_s: float
    expected: bool


class ServiceEnded(Strict):
    """A service of the stack ended although the harness did not end it."""

    kind: Literal["service_ended"] = "service_ended"
    service: str
    returncode: int
    last_output: str


class ServiceRestarted(Strict):
    """A service that had ended is up again, as its own restart policy has it; ``took_s`` counts from its end."""

    kind: Literal["service_restarted"] = "service_restarted"
    service: str
    took_s: float


class RunChanged(Strict):
    """A run of the workflow entered a state."""

    kind: Literal["run_changed"] = "run_changed"
    run: str
    role: RunRole
    state: str


class RunGivenUp(Strict):
    """The harness ended a run that had not ended in time; what Airflow says of it from now on is our word."""

    kind: Literal["run_given_up"] = "run_given_up"
    run: str


class TaskChanged(Strict):
    """A task of a run entered a state."""

    kind: Literal["task_changed"] = "task_changed"
    run: str
    task: str
    state: str
    attempt: int


class OperationEnded(Strict):
    """A request of the workload came to its end; ``detail`` is the answer's status, or why none came."""

    kind: Literal["operation_ended"] = "operation_ended"
    run: str
    operation: str
    fate: Fate
    detail: str
    took_s: float


class Recovered(Strict):
    """The system is back in its normal state; ``took_s`` counts from when the run was over and all was healed."""

    kind: Literal["recovered"] = "recovered"
    took_s: float


class Trouble(Strict):
    """The harness itself could not do its work, so the drill tells nothing."""

    kind: Literal["trouble"] = "trouble"
    what: str


Event = Annotated[
    DrillStarted
    | PhaseBegan
    | PhaseEnded
    | LinkProbed
    | FaultObserved
    | FaultOn
    | FaultHit
    | FaultOff
    | FaultHealed
    | FaultNeverCame
    | ProxyReplaced
    | ServiceEnded
    | ServiceRestarted
    | RunChanged
    | RunGivenUp
    | TaskChanged
    | OperationEnded
    | Recovered
    | OrderRecorded
    | LinkUsed
    | ResourcesMeasured
    | HarnessStalled
    | EvidenceMissing
    | Trouble,
    Field(discriminator="kind"),
]
