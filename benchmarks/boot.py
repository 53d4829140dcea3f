"""How long the stack takes to be ready, against the slowest of its parts started alone; and to be restarted."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from harness.drill.opening import running_stack
from harness.stack.stack import Stack

REPETITIONS = 3


async def measure_boot(bench: Bench) -> Sequence[Row]:
    """Start the whole stack and the slowest part alone, in turns, so that a busy machine slows both."""
    whole_s: list[float] = []
    alone_s: list[float] = []
    restart_s: list[float] = []
    slowest = ""
    stop_s: float | None = None
    for turn in range(1, REPETITIONS + 1):
        bench.progress.at_work(f"boot {turn} of {REPETITIONS} …")
        started_s = time.monotonic()
        async with running_stack(bench.stack, bench.progress) as running:
            whole_s.append(time.monotonic() - started_s)
            if stop_s is not None:
                restart_s.append(stop_s + whole_s[-1])
            slowest = slowest or slowest_by_itself(bench.stack, running.ready_s)
            stopped_s = time.monotonic()
        stop_s = time.monotonic() - stopped_s
        async with running_stack(only(bench.stack, slowest), bench.progress) as running:
            alone_s.append(running.ready_s[slowest])
    ratios = tuple(whole / alone for whole, alone in zip(whole_s, alone_s, strict=True))
    return [
        Row("stack ready", tuple(whole_s), "s"),
        Row(f"its slowest part alone: {slowest}", tuple(alone_s), "s"),
        Row("stack ready, against that", ratios, "×", Aim("median", 1.3)),
        Row("stack restarted: stop and start", tuple(restart_s), "s"),
    ]


def slowest_by_itself(stack: Stack, ready_s: Mapping[str, float]) -> str:
    """The service that was ready last, among those that are asked themselves whether they are."""
    own = [name for name in ready_s if f"{name}:" in repr(stack.services[name].part.ready)]
    return max(own, key=lambda name: ready_s[name])


def only(stack: Stack, service: str) -> Stack:
    """The stack with one service, and what that one cannot start without."""
    wanted: set[str] = set()
    left = [service]
    while left:
        name = left.pop()
        if name not in wanted:
            wanted.add(name)
            left.extend(stack.services[name].depends_on)
    return dataclasses.replace(
        stack,
        services={name: each for name, each in stack.services.items() if name in wanted},
        links=tuple(link for link in stack.links if {link.client, link.server} <= wanted),
    )
