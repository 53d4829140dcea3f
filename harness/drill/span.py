"""When a fault was on, and where in the logs that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Span:
    """When a fault was on, and what the logs of those whom it may have hit held at both ends.

    Args:
        on_at_s: when the order to switch it on was given; None when it never was.
        applied_at_s: when that order had been carried out: what happened before then did not meet the fault.
        lifted_at_s: when the order to lift it was given.
        hits_until_s: until when it may have hit the system; what comes later may be the heal's own doing.
        off_at_s: when it was healed.
        log_sizes_on: for each service, the size of its log file when it came on.
        log_sizes_hit: their size at ``hits_until_s``.
    """

    on_at_s: float | None = None
    applied_at_s: float | None = None
    lifted_at_s: float = 0.0
    hits_until_s: float = 0.0
    off_at_s: float | None = None
    log_sizes_on: Mapping[str, int] = field(default_factory=dict)
    log_sizes_hit: Mapping[str, int] = field(default_factory=dict)
