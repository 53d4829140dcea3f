"""Each fault of a service, on each runtime that can do it: it bites, it is lifted, and both proofs can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from harness.faults.registry import SERVICE_FAULTS
from harness.faults.service.fault import ServiceFault
from harness.faults.service.kill import Kill
from harness.runtime.effects.effect import Effect
from harness.runtime.effects.registry import RUNTIMES, cannot_do, effect_of
from harness.runtime.running import RuntimeName
from harness.runtime.service import ServiceState
from tests.faults.rows import ROWS
from tests.faults.subject import Subject

pytestmark = pytest.mark.anyio
Start = Callable[[RuntimeName], Awaitable[Subject]]
EVERYWHERE = [
    pytest.param(runtime, name, id=f"{name}-{runtime}", marks=[pytest.mark.docker] * (runtime is RuntimeName.DOCKER))
    for runtime, effects in RUNTIMES.items()
    for name, fault in SERVICE_FAULTS.items()
    if fault in effects
]

# Whose probe makes the service hold for good what the fault is to forbid.
PROBED_TO_DEATH = {"memory-limit"}


def effect_on(subject: Subject, name: str) -> Effect[ServiceFault]:
    """The fault of a row, for a subject."""
    return effect_of(SERVICE_FAULTS[name].model_validate(ROWS[name].settings), subject.target)


def test_every_fault_has_a_row() -> None:
    """A fault that nobody tries is not known to work."""
    assert set(ROWS) == set(SERVICE_FAULTS)


def test_every_fault_can_be_done_somewhere() -> None:
    """A fault that no runtime can do is no fault."""
    assert set(RUNTIMES[RuntimeName.DOCKER]) == set(SERVICE_FAULTS.values())


@pytest.mark.parametrize(("runtime", "name"), EVERYWHERE)
async def test_fault_bites_and_is_lifted(start: Start, runtime: RuntimeName, name: str) -> None:
    """The service suffers while the fault is on, by a probe of the test's own, and no longer once it is lifted."""
    subject = await start(runtime)
    effect, bites = effect_on(subject, name), ROWS[name].bites
    await effect.arm()
    try:
        if name not in PROBED_TO_DEATH:
            assert not await bites(subject)
        await effect.switch_on()
        look = await effect.look()
        assert look.as_expected, look.saw
        assert await bites(subject)
        again = await effect.look()
        assert again.as_expected, again.saw
        await effect.lift()
        healed = await effect.look_healed()
        assert healed.as_expected, healed.saw
        assert not await bites(subject)
    finally:
        await effect.lift()
        await effect.disarm()


@pytest.mark.parametrize(("runtime", "name"), EVERYWHERE)
async def test_fault_that_does_not_bite_is_reported(start: Start, runtime: RuntimeName, name: str) -> None:
    """Of a service that is well, no look says that the fault is on."""
    subject = await start(runtime)
    effect = effect_on(subject, name)
    await effect.arm()
    try:
        look = await effect.look()
        assert not look.as_expected, look.saw
        assert await subject.ask() == "answered"
    finally:
        await effect.lift()
        await effect.disarm()


@pytest.mark.parametrize(("runtime", "name"), EVERYWHERE)
async def test_fault_that_is_not_lifted_is_reported(start: Start, runtime: RuntimeName, name: str) -> None:
    """Of a service that still suffers, no look says that it is healed."""
    subject = await start(runtime)
    effect = effect_on(subject, name)
    await effect.arm()
    try:
        await effect.switch_on()
        look = await effect.look_healed()
        assert not look.as_expected, look.saw
    finally:
        await effect.lift()
        await effect.disarm()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_runtime_names_what_it_cannot_do(runtime: RuntimeName) -> None:
    """What a runtime has no line for, it says by the name that scenarios use."""
    faults = tuple(SERVICE_FAULTS[name].model_validate(row.settings) for name, row in ROWS.items())
    expected = {name for name, fault in SERVICE_FAULTS.items() if fault not in RUNTIMES[runtime]}
    assert set(cannot_do(runtime, faults)) == expected


async def test_service_that_is_up_already_is_not_started_again(start: Start) -> None:
    """Lifting what never was on changes nothing."""
    subject = await start(RuntimeName.LOCAL)
    effect = effect_of(Kill(), subject.target)
    await effect.lift()
    assert await subject.service.state() is ServiceState.RUNNING
    assert await subject.ask() == "answered"
