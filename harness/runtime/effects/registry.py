"""Which runtime can do which fault of a service: what a runtime learns is a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.faults.registry import Fault
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.disk_full import DiskFull
from harness.faults.service.fault import ServiceFault
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
from harness.runtime.effects.down import DownEffect
from harness.runtime.effects.effect import Effect
from harness.runtime.effects.memory_limit import MemoryLimitEffect
from harness.runtime.effects.packet_loss import PacketLossEffect
from harness.runtime.effects.partition import PartitionEffect
from harness.runtime.effects.pause import PauseEffect
from harness.runtime.effects.process_limit import ProcessLimitEffect
from harness.runtime.effects.target import Target
from harness.runtime.effects.volume_read_only import VolumeReadOnlyEffect
from harness.runtime.running import RuntimeName

Effects = Mapping[type[ServiceFault], type[Effect[Any]]]

LOCAL: Effects = {
    Kill: DownEffect,
    Stop: DownEffect,
    Restart: DownEffect,
    Pause: PauseEffect,
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


def cannot_do(runtime: RuntimeName, faults: tuple[Fault, ...]) -> tuple[str, ...]:
    """Of some faults, those that a runtime cannot do, by their names in scenarios; any can do those of links."""
    return tuple(
        dict.fromkeys(
            fault.model_dump()["kind"]
            for fault in faults
            if isinstance(fault, ServiceFault) and type(fault) not in RUNTIMES[runtime]
        )
    )


def effect_of(fault: ServiceFault, target: Target) -> Effect[Any]:
    """How a fault is made true on a service."""
    return DOCKER[type(fault)](fault, target)
