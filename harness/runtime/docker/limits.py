"""The limits that a container has, in the words in which an engine is told to give them back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from docker.models.containers import Container

from harness.runtime.docker.container_api import client_of, inspect
from harness.runtime.session.undo_log import UndoStep

CPU_PERIOD_US = 100_000
UNLIMITED = -1


async def cpu_limit(container: Container) -> Mapping[str, int]:
    """Cores, in the unit in which the container has had a limit: the kernel takes no second."""
    told = (await inspect(container)).host_config
    if told.nano_cpus:
        return {"NanoCpus": told.nano_cpus}
    return {"CpuPeriod": CPU_PERIOD_US, "CpuQuota": told.cpu_quota or UNLIMITED}


async def memory_limit(container: Container) -> Mapping[str, int]:
    """Bytes. The engine takes no word for "as much as there is" when it changes a limit: that much is as good."""
    told = (await inspect(container)).host_config
    most = int((await asyncio.to_thread(client_of(container).info))["MemTotal"])
    return {
        "Memory": told.memory or most,
        "MemorySwap": told.memory_swap if told.memory_swap > 0 else 2 * most,
    }


async def process_limit(container: Container) -> Mapping[str, int]:
    """Processes and threads."""
    return {"PidsLimit": (await inspect(container)).host_config.pids_limit or UNLIMITED}


async def as_before(container: Container) -> Sequence[UndoStep]:
    """What gives a container back its limits, and has it run, for an undo log."""
    path = f"/containers/{container.id}"
    limits = (await cpu_limit(container), await memory_limit(container), await process_limit(container))
    return (
        *(UndoStep(f"{path}/update", dict(limit)) for limit in limits),
        UndoStep(f"{path}/unpause"),
        UndoStep(f"{path}/start"),
    )
