"""What the system uses: connections over each link for a run, and what each service holds when it is idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import psutil

from harness.drill.observer import RunWatch
from harness.errors import HarnessError
from harness.history.history import HistoryWriter
from harness.history.measurements import LinkUsed, ResourcesMeasured
from harness.runtime.running import RunningStack
from harness.stack.compose import DoneProbe


@asynccontextmanager
async def links_counted(running: RunningStack, history: HistoryWriter, watch: RunWatch) -> AsyncIterator[None]:
    """Note how many connections the system makes over each link while the block goes on, and how many stay open."""
    began_mono_s = time.monotonic()
    try:
        yield
    finally:
        took_s = time.monotonic() - began_mono_s
        for link in running.stack.links:
            proxy = running.proxy(link)
            history.add(
                LinkUsed(
                    link=str(link),
                    run=watch.run_id,
                    role=watch.role,
                    connections=len(proxy.system_connections(began_mono_s)),
                    open_connections=len(proxy.open_system_connections()),
                    took_s=took_s,
                )
            )


async def measure_services(running: RunningStack, history: HistoryWriter, when: Literal["steady", "recovered"]) -> None:
    """Note what each service holds now; a service whose processes cannot be seen is left out."""
    for name, service in running.stack.services.items():
        if isinstance(service.part.ready, DoneProbe):
            continue  # it has ended
        try:
            pids = await running.service(name).pids()
        except HarnessError:
            continue
        if pids and (measured := await asyncio.to_thread(_measure, name, when, pids)) is not None:
            history.add(measured)
    for name, size_bytes in (await asyncio.to_thread(running.disk_usage)).items():
        history.add(ResourcesMeasured(service=name, when=when, disk_bytes=size_bytes))


def _measure(service: str, when: Literal["steady", "recovered"], pids: frozenset[int]) -> ResourcesMeasured | None:
    threads = file_handles = connections = memory_bytes = 0
    seen = False
    for pid in pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                threads += process.num_threads()
                memory_bytes += process.memory_info().rss
                file_handles += process.num_fds()
                connections += sum(each.status == psutil.CONN_ESTABLISHED for each in process.net_connections("tcp"))
            seen = True
        except psutil.Error:
            # It has ended meanwhile, or belongs to another user.
            continue
    if not seen:
        return None
    return ResourcesMeasured(
        service=service,
        when=when,
        threads=threads,
        file_handles=file_handles,
        connections=connections,
        memory_bytes=memory_bytes,
    )
