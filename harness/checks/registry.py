"""Every check: the promises that a scenario may name, and the proofs that always apply."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import (
    acknowledged_once,
    artifacts_once,
    bounded,
    controlled,
    fault_healed,
    fault_hit,
    not_silent,
    orders_once,
    steady,
)
from harness.checks.finding import Promises
from harness.checks.probe import probe_check
from harness.stack.adapters import Adapters

PROMISES: Promises = {
    artifacts_once.NAME: artifacts_once.artifacts_once,
    orders_once.NAME: orders_once.orders_once,
    not_silent.NAME: not_silent.not_silent,
    acknowledged_once.NAME: acknowledged_once.acknowledged_once,
    bounded.NAME: bounded.bounded,
    steady.NAME: steady.steady,
}

# The adapters without which a promise cannot be checked.
NEEDS: Mapping[str, tuple[str, ...]] = {
    artifacts_once.NAME: ("artifacts",),
    orders_once.NAME: ("orders", "gateway"),
    not_silent.NAME: ("outcome", "notifications"),
    acknowledged_once.NAME: ("operations",),
}

# In this order they are told: what went wrong with the experiment explains why its fault did not bite.
PROOFS: Promises = {
    controlled.NAME: controlled.controlled,
    fault_hit.NAME: fault_hit.fault_hit,
    fault_healed.NAME: fault_healed.fault_healed,
}


def missing_adapters(promise: str, adapters: Adapters) -> tuple[str, ...]:
    """The adapters that the stack would have to name for a promise to be checked."""
    return tuple(name for name in NEEDS.get(promise, ()) if getattr(adapters, name) is None)


def checkable(adapters: Adapters) -> Promises:
    """Every promise that can be checked with what the stack's file names, its own probes among them."""
    known = {name: check for name, check in PROMISES.items() if not missing_adapters(name, adapters)}
    return known | {name: probe_check(name, probe) for name, probe in adapters.probes.items()}
