"""The tables: what each registry says of its entries, as rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.checks.check import Check
from harness.checks.registry import BUILT_IN as PROMISES
from harness.checks.registry import PROOFS
from harness.faults.fault import Fault
from harness.faults.gateway.rows import gateway_rows
from harness.faults.registry import BUILT_IN as FAULTS
from harness.reference.commands import command_rows, exit_code_rows, option_rows
from harness.reference.rows import Rows
from harness.reference.scenarios import scenario_rows
from harness.runtime.effects.registry import runtimes_of
from harness.scenario.triggers import TRIGGERS

_FAULT_HEAD = (
    "fault",
    "of a",
    "runs on",
    "what happens",
    "proof that it is on",
    "proof that it is healed",
    "in a feature",
)


def _faults() -> Rows:
    return [_FAULT_HEAD, *(_fault_row(name, fault) for name, fault in FAULTS.items())]


def _fault_row(name: str, fault: type[Fault]) -> tuple[str, ...]:
    runtimes = ", ".join(runtimes_of(fault))
    said = f"`… {fault.PHRASES[0]}`"
    return f"`{name}`", fault.TARGET, runtimes, fault.SENTENCE, fault.PROOF_ON, fault.PROOF_HEALED, said


def _gateway_faults() -> Rows:
    rows = ((f"`{row.written}`", row.about, _code(row.parameters), f"`{row.said}`") for row in gateway_rows())
    return [("`is:`", "what happens", "parameters", "in a feature"), *rows]


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" if name != "–" else name for name in names.split(", "))


def _triggers() -> Rows:
    return [("`from:`", "the fault starts"), *((f"`{each.EXAMPLE}`", each.STARTS) for each in TRIGGERS.values())]


def _checks(kind: str, checks: Mapping[str, Check]) -> Rows:
    rows = ((f"`{check.name}`", check.holds_when, check.witness, _needs(check)) for check in checks.values())
    return [(kind, "holds when", "witness", "needs"), *rows]


def _blind() -> Rows:
    rows = ((f"`{check.name}`", check.blind_to) for check in (*PROMISES.values(), *PROOFS.values()))
    return [("promise or proof", "does not see"), *rows]


def _needs(check: Check) -> str:
    return ", ".join(f"`adapters.{name}`" for name in check.needs) or "–"


TABLES: Mapping[str, Callable[[], Rows]] = {
    "faults": _faults,
    "gateway faults": _gateway_faults,
    "triggers": _triggers,
    "promises": lambda: _checks("promise", PROMISES),
    "proofs": lambda: _checks("proof", PROOFS),
    "blind spots": _blind,
    "scenarios": scenario_rows,
    "commands": command_rows,
    "options": option_rows,
    "exit codes": exit_code_rows,
}
