"""Every fault that a scenario may name. Adding one of ours means its own file and one line here."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from harness.errors import UsageError
from harness.faults.fault import Fault
from harness.faults.gateway.fault import GatewayFault
from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.latency import Latency
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset
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
from harness.plugins import load_added

ENTRY_POINTS = "harness.faults"
"""The entry point group under which other packages name faults of their own."""

BUILT_IN: Mapping[str, type[Fault]] = {
    "refused": Refused,
    "reset": Reset,
    "blackhole": Blackhole,
    "answer-lost": AnswerLost,
    "latency": Latency,
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
    "gateway": GatewayFault,
}


@functools.cache
def known_faults() -> Mapping[str, type[Fault]]:
    """Our faults, and those that installed packages add, by the names that scenarios use.

    Raises:
        UsageError: an entry point is no fault, is not called as its fault is, or takes a name that is taken.
    """
    faults = dict(BUILT_IN)
    for name, added in load_added(ENTRY_POINTS, type).items():
        if not issubclass(added, Fault):
            raise UsageError(f"the entry point {name!r} of {ENTRY_POINTS} should be a fault, and is {added!r}")
        if added.name() != name:
            raise UsageError(
                f"the entry point {name!r} of {ENTRY_POINTS} is a fault called {added.name()!r}: call both the same"
            )
        if name in faults:
            raise UsageError(f"there are two faults called {name!r}: {faults[name]!r} and {added!r}")
        faults[name] = added
    return faults
