"""Events that measure: what the system had recorded at a moment, what it used, and how the harness itself fared."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from harness.history.roles import RunRole
from harness.validated import Strict


class OrderRecorded(Strict):
    """The system's own record of an order changed; seen in mid-run, and no later than a look at it takes."""

    kind: Literal["order_recorded"] = "order_recorded"
    order_ref: str
    status: str
    filled: Decimal


class LinkUsed(Strict):
    """How many connections the system made over a link for one run, and how many were open after it."""

    kind: Literal["link_used"] = "link_used"
    link: str
    run: str
    role: RunRole
    connections: int
    open_connections: int
    took_s: float


class ResourcesMeasured(Strict):
    """What a service holds while it is idle; None of what could not be measured there."""

    kind: Literal["resources_measured"] = "resources_measured"
    service: str
    when: Literal["steady", "recovered"]
    threads: int | None = None
    file_handles: int | None = None
    connections: int | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None


class HarnessStalled(Strict):
    """The harness itself stood still: nothing that was timed meanwhile can be blamed on the system."""

    kind: Literal["harness_stalled"] = "harness_stalled"
    took_s: float


class EvidenceMissing(Strict):
    """Something that the verdict rests on was there and is gone, such as a service's log."""

    kind: Literal["evidence_missing"] = "evidence_missing"
    what: str
