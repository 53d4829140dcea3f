"""Each fault on each runtime that can do it keeps the contract that faults of other packages are held to, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from harness.errors import HarnessError, UsageError
from harness.faults.registry import BUILT_IN
from harness.faults.service.kill import Kill
from harness.runtime.effects.effect import Observation
from harness.runtime.effects.registry import cannot_do, effect_of, effect_type, runtimes_of
from harness.runtime.running import RuntimeName
from harness.testing import ContractBroken, check_declaration, check_fault
from tests.faults.gateway_subject import GATEWAY
from tests.faults.rows import ROWS, Row
from tests.faults.subject import LINK, SERVICE, Subject

Start = Callable[[RuntimeName], Subject]
EVERYWHERE = [
    pytest.param(runtime, name, id=f"{name}-{runtime}", marks=[pytest.mark.docker] * (runtime is RuntimeName.DOCKER))
    for runtime in RuntimeName
    for name, fault in BUILT_IN.items()
    if runtime in runtimes_of(fault)
]


def target_of(name: str) -> str:
    """What a fault is put on in the small stack."""
    if name == "gateway":
        return GATEWAY
    return LINK if BUILT_IN[name].TARGET == "link" else SERVICE


def test_every_fault_has_a_row() -> None:
    """A fault that no test tries is not known to work."""
    assert set(ROWS) == set(BUILT_IN)


def test_every_fault_can_be_done_somewhere() -> None:
    """A fault that no runtime can do is no fault; containers can do all of them."""
    assert all(RuntimeName.DOCKER in runtimes_of(fault) for fault in BUILT_IN.values())


@pytest.mark.parametrize("name", BUILT_IN)
def test_fault_says_what_it_is(name: str) -> None:
    """Its name, texts, phrases and spelling keep the contract."""
    check_declaration(BUILT_IN[name].model_validate(ROWS[name].settings), target_of(name))


@pytest.mark.parametrize(("runtime", "name"), EVERYWHERE)
def test_fault_keeps_the_contract(
    start: Start, start_gateway: Start, runner: asyncio.Runner, runtime: RuntimeName, name: str
) -> None:
    """It hurts while it is on, by a probe of the test's own, is observed then and only then, and is lifted whole."""
    subject, row = (start_gateway if name == "gateway" else start)(runtime), ROWS[name]
    fault = BUILT_IN[name].model_validate(row.settings)
    work = check_fault(
        subject.running, fault, target_of(name), hurts=_probe(subject, row), asking_is_harmless=row.asking_is_harmless
    )
    runner.run(work)


def _probe(subject: Subject, row: Row) -> Callable[[], Awaitable[bool]]:
    async def hurts() -> bool:
        return await row.hurts(subject)

    return hurts


class Lame:
    """Spoils an effect in one place, to see that the contract finds it."""

    def __init__(self, spoil: str, monkeypatch: pytest.MonkeyPatch, effect: type[object]) -> None:
        async def nothing(_: object) -> tuple[()]:
            return ()

        async def well(_: object) -> Observation:
            return Observation(as_expected=True, saw="all as it should be")

        replacements = {"put_on": nothing, "lift": nothing, "observe": well, "verify_healed": well}
        monkeypatch.setattr(effect, spoil, replacements[spoil])


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("put_on", "should be observed once it is on"),
        ("lift", "should be healed once it is lifted: waited 0.3 s"),
        ("observe", "should not be observed before it is on"),
        ("verify_healed", "should not be told to be healed while it is on"),
    ],
)
def test_contract_finds_a_lame_effect(
    start: Start, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, spoil: str, found: str
) -> None:
    """An effect that does nothing, lifts nothing, or sees what it wants to see, breaks the contract."""
    subject = start(RuntimeName.LOCAL)
    fault = BUILT_IN["refused"].model_validate({})
    effect = type(effect_of(fault, subject.running, LINK))
    row = ROWS["refused"]
    with monkeypatch.context() as patch:
        patch.setattr("harness.testing.HEAL_DEADLINE_S", 0.3)
        Lame(spoil, patch, effect)
        with pytest.raises(ContractBroken, match=found):
            runner.run(check_fault(subject.running, fault, LINK, hurts=_probe(subject, row)))
    runner.run(effect_of(fault, subject.running, LINK).lift())


def test_contract_finds_a_fault_that_does_not_hurt(start: Start, runner: asyncio.Runner) -> None:
    """What the harness observes is not enough: the target has to suffer."""

    async def never() -> bool:
        return False

    fault = BUILT_IN["refused"].model_validate({})
    with pytest.raises(ContractBroken, match="should suffer while refused is on"):
        runner.run(check_fault(start(RuntimeName.LOCAL).running, fault, LINK, hurts=never))


@pytest.mark.parametrize("runtime", RuntimeName)
def test_runtime_names_what_it_cannot_do(start: Start, runtime: RuntimeName) -> None:
    """What a runtime has no effect for, it says by the name that scenarios use."""
    faults = [BUILT_IN[name].model_validate(row.settings) for name, row in ROWS.items()]
    expected = {fault.name() for fault in faults if effect_type(type(fault), runtime) is None}
    assert set(cannot_do(runtime, faults)) == expected
    if runtime is RuntimeName.LOCAL:
        with pytest.raises(HarnessError, match="the local runtime cannot do partition; what can: docker"):
            effect_of(BUILT_IN["partition"].model_validate({}), start(runtime).running, SERVICE)


def test_fault_that_brings_no_effect_is_refused() -> None:
    """What another package names as an effect has to be one: passed over, its scenarios would only be skipped."""

    class Hollow(Kill):
        @classmethod
        def effects(cls) -> Mapping[str, type[object]]:
            return {RuntimeName.LOCAL: object}

    with pytest.raises(
        UsageError, match="the fault 'kill' should bring an effect for local, and brings <class 'object'>"
    ):
        effect_type(Hollow, RuntimeName.LOCAL)
