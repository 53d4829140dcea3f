"""How long the stack takes to be ready as containers: against Compose, its slowest part, and a reset."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from benchmarks.bench import Bench
from benchmarks.boot import only, slowest_by_itself
from benchmarks.measurement import Aim, Row
from benchmarks.workflow_run import run_workflow
from harness.drill.clients import open_clients
from harness.drill.opening import running_stack
from harness.drill.reset import reset
from harness.errors import HarnessError, SetUpError
from harness.images import environment as images_env
from harness.runtime.cache import cache_directory
from harness.runtime.running import RuntimeName

REPETITIONS = 3
RESETS = 5
_COMPOSE_DEADLINE_S = 300


async def measure_containers(bench: Bench) -> Sequence[Row]:
    """Start the stack, the same by Compose, and the slowest part alone, in turns, so that a busy machine slows all."""
    whole_s: list[float] = []
    busy_percent: list[float] = []
    compose_s: list[float] = []
    alone_s: list[float] = []
    restart_s: list[float] = []
    reset_s: list[float] = []
    slowest = ""
    removed_s: list[float] = []
    for turn in range(1, REPETITIONS + 1):
        bench.progress.at_work(f"containers {turn} of {REPETITIONS} …")
        psutil.cpu_percent()
        began_s = time.monotonic()
        async with running_stack(bench.stack, bench.progress, runtime=RuntimeName.DOCKER) as running:
            whole_s.append(time.monotonic() - began_s)
            busy_percent.append(psutil.cpu_percent())
            if removed_s:
                restart_s.append(removed_s[-1] + whole_s[-1])
            slowest = slowest or slowest_by_itself(bench.stack, running.ready_s)
            async with open_clients(running) as clients:
                for _ in range(RESETS if turn == 1 else 0):
                    await run_workflow(clients.require_airflow())
                    began_s = time.monotonic()
                    await reset(running, clients)
                    reset_s.append(time.monotonic() - began_s)
            stopped_s = time.monotonic()
        removed_s.append(time.monotonic() - stopped_s)
        compose_s.append(await _by_compose(bench))
        async with running_stack(only(bench.stack, slowest), bench.progress, runtime=RuntimeName.DOCKER) as running:
            alone_s.append(running.ready_s[slowest])
    to_compose = tuple(whole / compose for whole, compose in zip(whole_s, compose_s, strict=True))
    to_slowest = tuple(whole / alone for whole, alone in zip(whole_s, alone_s, strict=True))
    to_reset = tuple(restart / sorted(reset_s)[len(reset_s) // 2] for restart in restart_s)
    return [
        Row("containers: stack ready", tuple(whole_s), "s"),
        # Near to a hundred, only more processors would have it ready sooner.
        Row("containers: processors busy until then", tuple(busy_percent), "%"),
        Row("containers: by Compose up, as ready", tuple(compose_s), "s"),
        Row("containers: ready, against Compose", to_compose, "×", Aim("median", 0.6)),
        Row(f"containers: slowest part alone: {slowest}", tuple(alone_s), "s"),
        Row("containers: ready, against that", to_slowest, "×", Aim("median", 1.15)),
        # The reaper does it, at an orderly end as after a SIGKILL of the harness.
        Row("containers: nothing left after the end", tuple(removed_s), "s", Aim("max", 5.0)),
        Row("containers: reset", tuple(reset_s), "s"),
        Row("containers: restart, against a reset", to_reset, "×", Aim("median", 50, at_least=True)),
    ]


async def _by_compose(bench: Bench) -> float:
    """Seconds from `up` until every service is ready by the probes that the harness asks, too."""
    project = f"bench-{secrets.token_hex(3)}"
    began_s = time.monotonic()
    async with _composed(bench.stack.path, project), running_stack(bench.stack, bench.progress, attach=project):
        return time.monotonic() - began_s


@asynccontextmanager
async def _composed(file: Path, project: str) -> AsyncIterator[None]:
    images = images_env.path_in(cache_directory(file.parent))
    command = [*_compose(), "--project-name", project, "--file", str(file)]
    if images.exists():
        command += ["--env-file", str(images)]
    try:
        await _run([*command, "up", "--detach"])
        yield
    finally:
        await _run([*command, "down", "--volumes", "--timeout", "1"])


def _compose() -> list[str]:
    if (alone := shutil.which("docker-compose")) is not None:
        return [alone]
    if (docker := shutil.which("docker")) is not None:
        return [docker, "compose"]
    raise SetUpError("there is no docker-compose to measure against: `make engine` installs it on Debian")


async def _run(command: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "WORKFLOW_SCHEDULE": "manual"},
    )
    async with asyncio.timeout(_COMPOSE_DEADLINE_S):
        said, _ = await process.communicate()
    if process.returncode != 0:
        raise HarnessError(f"{' '.join(command)} ended with {process.returncode}", evidence=said.decode()[-2000:])
