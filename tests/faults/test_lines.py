"""Which lines of the system's logs count as hits of a fault: those of its own window, beyond the base rate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.drill.base_rate import LineCount
from harness.drill.injector import Injector
from harness.drill.steady_window import SteadyWindow
from harness.drill.traffic import Written, lines_that_hit
from harness.history.events import PhaseBegan, PhaseEnded
from harness.history.history import HistoryWriter
from harness.runtime.local.stack import LocalStack
from harness.stack.adapters import TrafficAdapter
from tests.faults.test_injection import begin, injector_of

pytestmark = pytest.mark.anyio
BEGAN = datetime(2026, 1, 2, 10, tzinfo=UTC)
TRAFFIC = [TrafficAdapter(link="client -> server", log="server")]
REFUSED = "call of server failed: connection refused\n"


def task_log(*at_s: float) -> str:
    """A task's log with one line about a refused call at each of these seconds of the drill."""
    stamps = ((BEGAN + timedelta(seconds=each)).isoformat() for each in at_s)
    return "\n".join(json.dumps({"timestamp": stamp, "event": REFUSED.strip()}) for stamp in stamps)


@dataclass(frozen=True, slots=True)
class Lived:
    """A fault that has been, and when the steady run was."""

    injector: Injector
    steady: SteadyWindow
    output: Path

    def counted(self, tasks: str = "") -> LineCount:
        """The lines that hit, by the client's output and its tasks' logs."""
        written = Written({("run", "task"): tasks}, {"client": self.output}, BEGAN, self.steady)
        count = lines_that_hit(self.injector, TRAFFIC, written)
        assert count is not None
        return count


async def live(stack: LocalStack, history: HistoryWriter, before: Sequence[str], under: Sequence[str]) -> Lived:
    """Live a fault, with lines in its client's log in the steady run, and while it is on."""
    path = stack.logs.of_service("client")
    steady = SteadyWindow(stack)
    steady.hear(history.add(PhaseBegan(phase="steady")))
    with path.open("a") as log:
        log.writelines(before)
    steady.hear(history.add(PhaseEnded(phase="steady", took_s=0)))
    # As long as the fault, so that what is written as often is as much.
    steady.began_s, steady.ended_s = 10.0, 20.0
    run_over = asyncio.Event()
    injector = injector_of(stack, history, link="client -> server", **{"is": "refused"}, until="run-ended")
    life = begin(injector, run_over)
    await injector.on.wait()
    with path.open("a") as log:
        log.writelines(under)
    run_over.set()
    await life
    with path.open("a") as log:
        log.writelines([REFUSED] * 7)
    injector.span.on_at_s, injector.span.hits_until_s, injector.span.off_at_s = 30.0, 40.0, 41.0
    return Lived(injector, steady, path)


async def test_lines_that_are_always_written_are_no_hits(local_stack: LocalStack, history: HistoryWriter) -> None:
    """A system that complains as much without the fault has not told of it; what comes after the lift is the heal's."""
    lived = await live(local_stack, history, [REFUSED] * 4, [REFUSED] * 4)
    count = lived.counted()
    assert (count.under, count.predicted, count.beyond) == (4, 4, 0)


async def test_lines_beyond_the_usual_are_hits(local_stack: LocalStack, history: HistoryWriter) -> None:
    """What it writes beyond that, about this link and in the fault's words, is counted."""
    other = "call of elsewhere: connection refused\n", "call of server: done\n"
    lived = await live(local_stack, history, [REFUSED], [*[REFUSED] * 11, *other])
    assert lived.counted().beyond == 10


async def test_lines_of_tasks_count_in_the_window_alone(local_stack: LocalStack, history: HistoryWriter) -> None:
    """A task's line counts by its own time: not before the fault, not after its lift, and against the steady run."""
    lived = await live(local_stack, history, [], [])
    assert lived.counted(task_log(29, 31, 39, 40.5, 44)).beyond == 2
    assert lived.counted(task_log(11, 12, 31, 39)).beyond == 0
