"""Orders to store an artifact or to replay the spool, each done by a process of its own, which may be killed at it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.trading.parts import task
from trading.workflow.artifact import Artifact
from trading.workflow.settings import WorkflowSettings

_SCRIPT = Path(__file__).with_name("storing_nursery.py")
_END_S = 30.0
_REPLAY_S = 20.0

Outcome = dict[str, Any]


def an_order(run: str, name: str, content: str = "") -> Artifact:
    """An artifact of a run, with something in it that tells one try from another."""
    return task(run, "place_order").artifact("order", name, symbol="AAPL", metadata={"status": "NONE", "is": content})


class Storer:
    """Does one order after the other; two of them work at the same time.

    Args:
        popen: the process that forks one for each order.
    """

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen

    def start(
        self, settings: WorkflowSettings, *artifacts: Artifact, dies_at: int = 0, replay_s: float = _REPLAY_S
    ) -> None:
        """Begin an order.

        Args:
            settings: the workflow's.
            artifacts: what to store; none for a replay.
            dies_at: the line, counted from 1, at which the process is killed; 0 for never.
            replay_s: seconds for a replay.
        """
        order = {
            "settings": settings.model_dump(mode="json"),
            "artifacts": [artifact.model_dump(mode="json") for artifact in artifacts],
            "dies_at": dies_at,
            "replay_s": replay_s,
        }
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(order) + "\n")
        self._popen.stdin.flush()

    def end(self) -> list[Outcome]:
        """Wait for what the order came to, an outcome for each artifact; empty when its process was killed."""
        assert self._popen.stdout is not None
        answer = json.loads(self._popen.stdout.readline())
        assert answer["exit"] in {0, -signal.SIGKILL}, f"the process failed by itself: {answer}"
        outcomes: list[Outcome] = answer["outcomes"]
        return outcomes

    def do(self, settings: WorkflowSettings, *artifacts: Artifact, dies_at: int = 0) -> list[Outcome]:
        """Do an order to its end."""
        self.start(settings, *artifacts, dies_at=dies_at)
        return self.end()


@contextlib.contextmanager
def storer() -> Iterator[Storer]:
    """Keep a process that forks for as long as the block lasts."""
    popen = subprocess.Popen(
        [sys.executable, str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_SCRIPT.parents[2])},
        text=True,
    )
    try:
        with popen:
            yield Storer(popen)
            assert popen.stdin is not None
            popen.stdin.close()
            popen.wait(_END_S)
    finally:
        popen.kill()
