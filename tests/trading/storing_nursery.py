"""A process that has imported what storing needs, and forks a process for every order: to store, or to replay.

Run by its path, since it stands for a part of the system: an order comes in as a line of JSON, and a line goes out when
its process has ended: what it acknowledged, and how it ended (an exit code, or minus the number of a signal).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from trading.workflow.artifact import Artifact
from trading.workflow.artifact_storage import ArtifactStorage, warm_up
from trading.workflow.replay import replay
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

# The code that a death may interrupt: every line that decides over an artifact.
_DEADLY = frozenset({"artifact_storage.py", "artifact_answer.py", "replay.py", "spool.py", "durable_file.py"})
_CHUNK_BYTES = 65536


async def _work(order: dict[str, Any]) -> list[dict[str, Any]]:
    settings = WorkflowSettings.model_validate(order["settings"])
    with Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes) as spool:
        async with ArtifactStorage(settings, spool) as storage:
            if not order["artifacts"]:
                return [asdict(await replay(storage, budget_s=order["replay_s"]))]
            artifacts = [Artifact.model_validate(artifact) for artifact in order["artifacts"]]
            return [asdict(await storage.store(artifact)) for artifact in artifacts]


def _die_at(number: int) -> None:
    """Have this process killed at the n-th line of the code under test that it comes to."""
    left = number

    def line(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if Path(frame.f_code.co_filename).name in _DEADLY else None

    sys.settrace(call)


def _child(order: dict[str, Any], acknowledged: int) -> None:
    code = 1
    try:
        if order["dies_at"]:
            _die_at(order["dies_at"])
        outcomes = asyncio.run(_work(order))
        sys.settrace(None)
        os.write(acknowledged, json.dumps(outcomes).encode())
        code = 0
    finally:
        # Past the interpreter's own end, which belongs to the parent.
        os._exit(code)


def _serve() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(json.loads(line), writing)
        os.close(writing)
        _, status = os.waitpid(pid, 0)
        told = os.read(reading, _CHUNK_BYTES).decode()
        os.close(reading)
        answer = {"exit": os.waitstatus_to_exitcode(status), "outcomes": json.loads(told) if told else []}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    warm_up()
    _serve()
