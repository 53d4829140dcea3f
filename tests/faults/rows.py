"""One row a fault: its settings, and how a test sees by itself that it hurts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from harness.runtime.service import ServiceState
from tests.faults.gateway_subject import is_silent_over_link
from tests.faults.subject import VOLUME, Subject

_TRY_TO_WRITE = f"""
import os
try:
    with open('{VOLUME}/test', 'wb', 0) as file: file.write(b'x' * 65536)
    print('written')
except OSError as cause: print(cause.errno)
# What is left of it would make room for the next try.
if os.path.exists('{VOLUME}/test') and os.access('{VOLUME}', os.W_OK): os.remove('{VOLUME}/test')
"""
_TRY_TO_FORK = """
import os
try:
    child = os.fork()
    if not child: os._exit(0)
    os.waitpid(child, 0)
    print('forked')
except OSError as cause: print(cause.errno)
"""
_WORK = """
import pathlib, time
# Version 1 of control groups, or version 2.
stat = next(path for path in map(pathlib.Path, ('/sys/fs/cgroup/cpu/cpu.stat', '/sys/fs/cgroup/cpu.stat')) if path.exists())
def throttled(): return int(stat.read_text().split('nr_throttled')[1].split()[0])
before, used_s = throttled(), time.process_time()
while time.process_time() - used_s < 0.1: pass
print(throttled() - before)
"""
_CALL_OUT = """
import socket, struct
# The default gateway: a machine that is there, and reached over the network.
gateway = next(line.split()[2] for line in open('/proc/net/route').readlines()[1:] if line.split()[1] == '00000000')
host = socket.inet_ntoa(struct.pack('<I', int(gateway, 16)))
try:
    socket.create_connection((host, 9), 0.5)
except OSError as cause: print(type(cause).__name__)
"""
_CALL_ITSELF = "import socket; socket.create_connection(('127.0.0.1', 8000), 1); print('connected')"
_ENOSPC, _EROFS, _EAGAIN = "28", "30", "11"
_CALLS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """How one fault is tried.

    Args:
        hurts: whether the target suffers from it now, by none of the harness's own proofs.
        settings: as a scenario writes them.
        asking_is_harmless: whether that may be asked before the fault is on: not if the answer is kept for good.
    """

    hurts: Callable[[Subject], Awaitable[bool]]
    settings: Mapping[str, object] = field(default_factory=dict)
    asking_is_harmless: bool = True


async def _is_refused_over_link(subject: Subject) -> bool:
    return await subject.ask_over_link() == "ConnectionRefusedError"


async def _is_reset_over_link(subject: Subject) -> bool:
    return await subject.ask_over_link() in {"ConnectionResetError", "RemoteDisconnected"}


async def _is_silent_over_link(subject: Subject) -> bool:
    return await subject.ask_over_link() == "TimeoutError"


async def _is_late_over_link(subject: Subject) -> bool:
    return await subject.ask_over_link(timeout_s=0.4) == "TimeoutError" and await subject.ask_over_link(3) == "answered"


async def _is_down(subject: Subject) -> bool:
    return await subject.service.state() is ServiceState.ENDED and await subject.ask() == "ConnectionRefusedError"


async def _is_frozen(subject: Subject) -> bool:
    return await subject.service.state() is ServiceState.PAUSED and await subject.ask() == "TimeoutError"


async def _is_cut_off(subject: Subject) -> bool:
    alone = await subject.python(_CALL_ITSELF) == "connected"
    called = await subject.ask()
    calls = await subject.python(_CALL_OUT)
    return alone and called == "TimeoutError" and calls == "TimeoutError"


async def _loses_packets(subject: Subject) -> bool:
    # Half of the packets are lost, so nearly every call needs one sent again; on a busy machine a few are late anyway.
    late = [await subject.ask(timeout_s=0.15) != "answered" for _ in range(_CALLS)]
    return sum(late) > _CALLS / 2


async def _is_throttled(subject: Subject) -> bool:
    return int(await subject.python(_WORK)) > 0


async def _is_killed_for_memory(subject: Subject) -> bool:
    if await subject.ask("/grow", timeout_s=5) == "answered":
        return False
    # Its connection breaks before the engine has heard of its end.
    async with asyncio.timeout(10):
        while await subject.service.state() is not ServiceState.ENDED:  # noqa: ASYNC110 - the engine is asked
            await asyncio.sleep(0.05)
    return True


async def _has_no_room(subject: Subject) -> bool:
    return await subject.python(_TRY_TO_WRITE) == _ENOSPC


async def _cannot_write(subject: Subject) -> bool:
    return await subject.python(_TRY_TO_WRITE) == _EROFS


async def _cannot_fork(subject: Subject) -> bool:
    return await subject.python(_TRY_TO_FORK) == _EAGAIN


async def _says_nothing(subject: Subject) -> bool:
    return await is_silent_over_link(subject.running)


ROWS: Mapping[str, Row] = {
    "refused": Row(_is_refused_over_link),
    "reset": Row(_is_reset_over_link),
    "blackhole": Row(_is_silent_over_link),
    "answer-lost": Row(_is_reset_over_link),
    "latency": Row(_is_late_over_link, {"delay_ms": 600}),
    "kill": Row(_is_down),
    "stop": Row(_is_down),
    "restart": Row(_is_down),
    "pause": Row(_is_frozen),
    "partition": Row(_is_cut_off),
    "packet-loss": Row(_loses_packets, {"percent": 50}),
    "cpu-limit": Row(_is_throttled, {"cpus": 0.1}),
    "memory-limit": Row(_is_killed_for_memory, {"mib": 40}, asking_is_harmless=False),
    "disk-full": Row(_has_no_room, {"path": VOLUME}),
    "volume-read-only": Row(_cannot_write, {"path": VOLUME}),
    "process-limit": Row(_cannot_fork, {"pids": 1}),
    "gateway": Row(_says_nothing, {"gateway": "silent"}),
}
