"""Which effect makes which fault true on which runtime: what a runtime learns is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.faults.fault import Fault
from harness.faults.gateway.fault import GatewayFault
from harness.faults.link.fault import LinkFault
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.disk_full import DiskFull
from harness.faults.service.kill import Kill
from harness.faults.service.memory_limit import MemoryLimit
from harness.faults.service.packet_loss import PacketLoss
from harness.faults.service.partition import Partition
from harness.faults.service.pause import Pause
from harness.faults.service.process_limit import ProcessLimit
from harness.faults.service.restart import Restart
from harness.faults.service.stop import Stop
from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.runtime.effects.cpu_limit import CpuLimitEffect
from harness.runtime.effects.disk_full import DiskFullEffect
from harness.runtime.effects.down import KillEffect, StopEffect
from harness.runtime.effects.effect import CannotBeDone, Effect
from harness.runtime.effects.gateway import GatewayEffect
from harness.runtime.effects.link import LinkEffect
from harness.runtime.effects.memory_limit import MemoryLimitEffect
from harness.runtime.effects.packet_loss import PacketLossEffect
from harness.runtime.effects.partition import PartitionEffect
from harness.runtime.effects.pause import PauseEffect
from harness.runtime.effects.process_limit import ProcessLimitEffect
from harness.runtime.effects.volume_read_only import VolumeReadOnlyEffect
from harness.runtime.running import RunningStack, RuntimeName

EffectType = Callable[[Any, Any, str], Effect[Any]]
"""An effect's class: made of a fault, a running stack and the name of a target."""

Effects = Mapping[type[Fault], EffectType]

LOCAL: Effects = {
    # Every fault of a link, those of other packages too: they differ only in what its Toxiproxy is told.
    LinkFault: LinkEffect,
    Kill: KillEffect,
    Stop: StopEffect,
    Restart: StopEffect,
    Pause: PauseEffect,
    # Every fault of the stub, over its control port.
    GatewayFault: GatewayEffect,
}

DOCKER: Effects = {
    **LOCAL,
    Partition: PartitionEffect,
    PacketLoss: PacketLossEffect,
    CpuLimit: CpuLimitEffect,
    MemoryLimit: MemoryLimitEffect,
    DiskFull: DiskFullEffect,
    VolumeReadOnly: VolumeReadOnlyEffect,
    ProcessLimit: ProcessLimitEffect,
}

RUNTIMES: Mapping[RuntimeName, Effects] = {RuntimeName.LOCAL: LOCAL, RuntimeName.DOCKER: DOCKER}


def effect_type(fault: type[Fault], runtime: RuntimeName) -> EffectType | None:
    """The effect of a fault on a runtime; None where the runtime cannot do it.

    Raises:
        UsageError: the fault brings an effect that is none.
    """
    brought = fault.effects().get(runtime)
    if brought is not None:
        if not issubclass(brought, Effect):
            raise UsageError(f"the fault {fault.name()!r} should bring an effect for {runtime}, and brings {brought!r}")
        return brought
    return next((effect for base in fault.__mro__ if (effect := RUNTIMES[runtime].get(base)) is not None), None)


def runtimes_of(fault: type[Fault]) -> tuple[RuntimeName, ...]:
    """The runtimes that can do a fault."""
    return tuple(runtime for runtime in RuntimeName if effect_type(fault, runtime) is not None)


def cannot_do(runtime: RuntimeName, faults: Sequence[Fault]) -> tuple[str, ...]:
    """Of some faults, those that a runtime cannot do, by their names in scenarios."""
    missing = (type(fault) for fault in faults if effect_type(type(fault), runtime) is None)
    return tuple(dict.fromkeys(fault.name() for fault in missing))


def effect_of(fault: Fault, running: RunningStack, target: str) -> Effect[Any]:
    """The effect of a fault on a target of a running stack.

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the link or the service, as a scenario names it.

    Raises:
        CannotBeDone: the stack's runtime cannot do it.
        StackError: the stack has no such link.
    """
    effect = effect_type(type(fault), running.runtime)
    if effect is None:
        where = ", ".join(runtimes_of(type(fault))) or "no runtime"
        raise CannotBeDone(f"the {running.runtime} runtime cannot do {fault.name()}; what can: {where}")
    return effect(fault, running, target)
