"""Contract suites: what every fault and every check of ours is held to, for those of other packages too.

Each raises ``ContractBroken``, an ``AssertionError`` whose text says which promise was broken and what was seen.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding
from harness.checks.registry import PROOFS, known_promises
from harness.errors import DeadlineExceeded
from harness.faults.fault import Fault
from harness.faults.registry import known_faults
from harness.gherkin.phrases import injection as injection_said
from harness.history.history import Entry, History
from harness.history.measurements import ResourcesMeasured
from harness.history.reads import FinalReads, RunRead
from harness.history.roles import RunRole
from harness.runtime.effects.effect import Effect, Observation
from harness.runtime.effects.registry import effect_of
from harness.runtime.running import RunningStack
from harness.scenario.model import Injection
from harness.stack.adapters import Adapters

HEAL_DEADLINE_S = 20.0


class ContractBroken(AssertionError):
    """A fault or a check does not do what every fault or check has to."""


def check_declaration(fault: Fault, target: str) -> None:
    """Hold what a fault says of itself to the contract: its name, its texts, its phrases and its spelling in a file.

    Args:
        fault: with settings.
        target: a link or a service, as a scenario names it.

    Raises:
        ContractBroken: says what is missing or wrong.
    """
    name = fault.name()
    _require(known_faults().get(name) is type(fault), f"{name!r} is not in the registry, or names another fault")
    for text in ("ABOUT", "SENTENCE", "PROOF_ON", "PROOF_HEALED", "IN_LOGS"):
        _require(bool(getattr(fault, text, "")), f"{name} has no {text}")
    _require(bool(fault.PHRASES), f"{name} has no phrase")
    for pattern in (fault.IN_LOGS, fault.IN_OWN_LOG):
        re.compile(pattern)
    lasts = "for 5 s" if fault.LASTS else ""
    for phrase in fault.PHRASES:
        said = injection_said(target, phrase.format(**fault.model_dump()), lasts, "")
        _require(said.fault == fault, f"{name}: the phrase {phrase!r} gives {said.fault!r}, not {fault!r}")
        written = said.model_dump(mode="json", by_alias=True)
        _require(Injection.model_validate(written) == said, f"{name} is not read from a scenario as it was written")


async def check_fault(
    running: RunningStack,
    fault: Fault,
    target: str,
    *,
    hurts: Callable[[], Awaitable[bool]],
    asking_is_harmless: bool = True,
) -> None:
    """Hold a fault and its effect to the contract, on a running stack.

    The fault is not observed before it is put on; it hurts while it is on, and is observed as often as it is asked for;
    it is not told to be healed while it is on; it is lifted whole; and a lift of what never was on changes nothing.

    Args:
        running: the stack; it is as before afterwards.
        fault: with settings.
        target: a link or a service of the stack, as a scenario names it.
        hurts: whether the target suffers from the fault now, by a probe of the test's own.
        asking_is_harmless: whether ``hurts`` may be asked before the fault is on, and changes nothing by that.

    Raises:
        ContractBroken: says what was promised, and what was seen.
    """
    check_declaration(fault, target)
    await _check_never_on(effect_of(fault, running, target))
    effect = effect_of(fault, running, target)
    await effect.arm()
    try:
        if asking_is_harmless:
            _require(not await hurts(), f"{target} suffers already before {fault.about} is on")
        await effect.undo_steps()
        await effect.put_on()
        _expect(await effect.observe(), f"{fault.about} should be observed once it is on")
        _expect_not(await effect.verify_healed(), f"{fault.about} should not be told to be healed while it is on")
        _require(await hurts(), f"{target} should suffer while {fault.about} is on")
        _expect(await effect.observe(), f"{fault.about} should be observed again while it is on")
        await effect.lift()
        try:
            await effect.until_healed(HEAL_DEADLINE_S)
        except DeadlineExceeded as cause:
            raise ContractBroken(f"{fault.about} should be healed once it is lifted: {cause}") from cause
        _require(not await hurts(), f"{target} should not suffer once {fault.about} is lifted")
    finally:
        await effect.lift()
        await effect.disarm()


def check_check(check: Check, *, holds: Case, broken: Case) -> None:
    """Hold a check to the contract: it finds what is broken, names itself, and changes nothing.

    Args:
        check: the check.
        holds: a case in which its promise holds.
        broken: a case in which it does not.

    Raises:
        ContractBroken: says what was promised, and what was seen.
    """
    name = check.name
    registered = {**known_promises(), **PROOFS}.get(name)
    _require(registered is check, f"{name!r} is not in the registry, or names another check")
    _require(bool(check.holds_when and check.witness), f"{name} does not say when it holds, or what it reads")
    found = list(check.judge(holds))
    _require(not found, f"{name} should find nothing where its promise holds, and found {found}")
    before = copy.deepcopy(broken.reads)
    found = list(check.judge(broken))
    _require(bool(found), f"{name} should find what is broken, and found nothing")
    _require(broken.reads == before, f"{name} should not change what it judges")
    _require(found == list(check.judge(broken)), f"{name} should find the same again in the same case")
    for finding in found:
        _check_finding(check, finding)


def sound_case(*, runs: Sequence[str] = (), **reads: Any) -> Case:
    """A case of a drill without faults in which nothing happened, to be filled with what a check reads.

    Args:
        runs: the ids of runs that ended well, the drilled one first.
        reads: fields of the final reads (``operations``, ``notifications``, ``outcomes`` …).
    """
    ended_well = {run: RunRead(run, RunRole.DRILLED, "success", (), ()) for run in runs}
    nothing: dict[str, Any] = dict.fromkeys(
        ("artifacts", "recorded_orders", "broker_orders", "outcomes", "notifications"), ()
    )
    return Case(
        drilled_run=next(iter(runs), ""),
        faults=(),
        outcomes=("success",),
        run_limit_s=60,
        recovery_limit_s=60,
        adapters=Adapters.model_validate({"workload": {"wait": {"for_s": 1}}}),
        history=History((_measured(1, "steady"), _measured(2, "recovered"))),
        reads=FinalReads(runs=ended_well, **(nothing | {"leaks": ()} | reads)),
    )


def _measured(seq: int, when: Literal["steady", "recovered"]) -> Entry:
    return Entry(seq=seq, at_s=float(seq), event=ResourcesMeasured(service="system", when=when, threads=1))


async def _check_never_on(effect: Effect[Any]) -> None:
    about, target = effect.fault.about, effect.target
    await effect.arm()
    try:
        _expect_not(await effect.observe(), f"{about} should not be observed before it is on")
        await effect.lift()
        _expect(await effect.verify_healed(), f"{target} should be as before after a lift of what never was on")
    finally:
        await effect.lift()
        await effect.disarm()


def _check_finding(check: Check, finding: Finding) -> None:
    _require(finding.check == check.name, f"a finding of {check.name} speaks for {finding.check!r}")
    told = all((finding.title, finding.expected, finding.found))
    _require(told, f"a finding of {check.name} leaves out its title, what was expected or what was found: {finding}")


def _expect(observation: Observation, promise: str) -> None:
    _require(observation.as_expected, f"{promise}: {observation.saw}")


def _expect_not(observation: Observation, promise: str) -> None:
    _require(not observation.as_expected, f"{promise}: {observation.saw}")


def _require(holds: bool, broken: str) -> None:  # noqa: FBT001 - the one condition that it is about
    if not holds:
        raise ContractBroken(broken)
