"""How long it takes to switch a fault of a container on, and to lift it until the service is seen to be as before.

Switching on is counted without getting ready for it (a sidecar is started beforehand, as in a drill); the lift with
the proof that it is healed, which for the limits of a control group waits for the engine, once a second.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.measurement import Row
from harness.drill.description import describe
from harness.drill.opening import running_stack
from harness.errors import DeadlineExceeded
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.fault import ServiceFault
from harness.faults.service.kill import Kill
from harness.faults.service.memory_limit import MemoryLimit
from harness.faults.service.packet_loss import PacketLoss
from harness.faults.service.partition import Partition
from harness.faults.service.pause import Pause
from harness.faults.service.process_limit import ProcessLimit
from harness.faults.service.restart import Restart
from harness.faults.service.stop import Stop
from harness.runtime.effects.registry import effect_of
from harness.runtime.running import RunningStack, RuntimeName

REPETITIONS = 10
SERVICE = "notifications"
FAULTS: tuple[ServiceFault, ...] = (
    Kill(),
    Stop(),
    Restart(),
    Pause(),
    Partition(),
    PacketLoss(percent=20),
    CpuLimit(cpus=0.1),
    MemoryLimit(mib=64),
    ProcessLimit(pids=1),
)
_DEADLINE_S = 30.0


async def measure_container_faults(bench: Bench) -> Sequence[Row]:
    """Switch each fault on and off, ten times, on a small service of a stack that runs in containers."""
    stack = describe(bench.stack.path, seed=0)
    rows: list[Row] = []
    async with running_stack(stack, bench.progress, runtime=RuntimeName.DOCKER) as running:
        for fault in FAULTS:
            bench.progress.at_work(f"{SERVICE} {fault.about} and healed, {REPETITIONS} times …")
            pairs = [await _on_and_off(fault, running) for _ in range(REPETITIONS)]
            on_ms, healed_ms = (tuple(each) for each in zip(*pairs, strict=True))
            rows += [
                Row(f"container fault on: {fault.about}", on_ms, "ms"),
                Row(f"container fault lifted to healed: {fault.about}", healed_ms, "ms"),
            ]
    return rows


async def _on_and_off(fault: ServiceFault, running: RunningStack) -> tuple[float, float]:
    effect = effect_of(fault, running, SERVICE)
    await effect.arm()
    try:
        ordered_s = time.monotonic()
        try:
            await effect.put_on()
            on_s = time.monotonic() - ordered_s
            if not (seen := await effect.observe()).as_expected:
                raise DeadlineExceeded(f"{fault.about} of {SERVICE} should be on: {seen.saw}")
        finally:
            lifted_s = time.monotonic()
            await effect.lift()
        await effect.until_healed(_DEADLINE_S)
        return on_s * 1000, (time.monotonic() - lifted_s) * 1000
    finally:
        await effect.disarm()
