"""Every fault that a scenario may name: adding one means its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.fault import LinkFault
from harness.faults.link.latency import Latency
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset
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

Fault = LinkFault | ServiceFault

LINK_FAULTS: Mapping[str, type[LinkFault]] = {
    "answer-lost": AnswerLost,
    "blackhole": Blackhole,
    "latency": Latency,
    "refused": Refused,
    "reset": Reset,
}

# A runtime that can do one has a line for it in ``harness/runtime/effects/registry.py``.
SERVICE_FAULTS: Mapping[str, type[ServiceFault]] = {
    "kill": Kill,
    "stop": Stop,
    "restart": Restart,
    "pause": Pause,
    "partition": Partition,
    "packet-loss": PacketLoss,
    "cpu-limit": CpuLimit,
    "memory-limit": MemoryLimit,
    "disk-full": DiskFull,
    "volume-read-only": VolumeReadOnly,
    "process-limit": ProcessLimit,
}

FAULTS: Mapping[str, type[Fault]] = {**LINK_FAULTS, **SERVICE_FAULTS}
