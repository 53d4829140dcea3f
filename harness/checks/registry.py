"""Every check: the promises that a scenario may name, and the proofs that always apply.

Adding one of ours means its own file and one line here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from harness.checks import (
    acknowledged_once,
    artifacts_once,
    bounded,
    consistent,
    contained,
    controlled,
    drained,
    fault_healed,
    fault_hit,
    not_leaking,
    not_silent,
    orders_follow_signals,
    orders_once,
    outcomes,
    private,
    ran,
    scheduled,
    steady,
    witnessed,
    work_judged,
)
from harness.checks.check import Check
from harness.checks.probe import probe_check
from harness.errors import UsageError
from harness.plugins import load_added
from harness.stack.adapters import Adapters

ENTRY_POINTS = "harness.checks"
"""The entry point group under which other packages name checks of their own."""

BUILT_IN: Mapping[str, Check] = {
    each.CHECK.name: each.CHECK
    for each in (
        artifacts_once,
        orders_once,
        orders_follow_signals,
        not_silent,
        acknowledged_once,
        bounded,
        steady,
        scheduled,
        consistent,
        drained,
        not_leaking,
        private,
    )
}

# In this order they are told: what went wrong with the experiment explains why its fault did not hit.
PROOFS: Mapping[str, Check] = {
    each.CHECK.name: each.CHECK
    for each in (ran, controlled, fault_hit, fault_healed, witnessed, outcomes, contained, work_judged)
}


@functools.cache
def known_promises() -> Mapping[str, Check]:
    """Our promises, and those that installed packages add, by the names that scenarios use.

    Raises:
        UsageError: an entry point is no check, is not called as its check is, or takes a name that is taken.
    """
    promises = dict(BUILT_IN)
    for name, check in load_added(ENTRY_POINTS, Check).items():
        if check.name != name:
            raise UsageError(
                f"the entry point {name!r} of {ENTRY_POINTS} is a check called {check.name!r}: call both the same"
            )
        if name in promises or name in PROOFS:
            raise UsageError(f"there are two checks called {name!r}: one of them is an entry point of {ENTRY_POINTS}")
        promises[name] = check
    return promises


def missing_adapters(promise: str, adapters: Adapters) -> tuple[str, ...]:
    """The adapters that the stack would have to name for a promise to be checked."""
    return tuple(name for name in known_promises()[promise].needs if getattr(adapters, name) is None)


def checkable(adapters: Adapters) -> Mapping[str, Check]:
    """Every promise that can be checked with what the stack's file names, its own probes among them.

    Raises:
        UsageError: a probe is called as a promise or a proof is, which would never be judged then.
    """
    if taken := [name for name in adapters.probes if name in known_promises() or name in PROOFS]:
        raise UsageError(f"x-harness.adapters.probes.{taken[0]}: a check has this name already, take another")
    known = {name: check for name, check in known_promises().items() if not missing_adapters(name, adapters)}
    return known | {name: probe_check(name, probe) for name, probe in adapters.probes.items()}
