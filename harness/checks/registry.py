"""Every check: the promises that a scenario may name, and the proofs that always apply."""

from __future__ import annotations

from harness.checks import artifacts_once, bounded, controlled, fault_bit, fault_healed, not_silent, orders_once, steady
from harness.checks.finding import Promises

PROMISES: Promises = {
    artifacts_once.NAME: artifacts_once.artifacts_once,
    orders_once.NAME: orders_once.orders_once,
    not_silent.NAME: not_silent.not_silent,
    bounded.NAME: bounded.bounded,
    steady.NAME: steady.steady,
}

# In this order they are told: what went wrong with the experiment explains why its fault did not bite.
PROOFS: Promises = {
    controlled.NAME: controlled.controlled,
    fault_bit.NAME: fault_bit.fault_bit,
    fault_healed.NAME: fault_healed.fault_healed,
}
