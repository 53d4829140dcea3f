"""The harness notices that it stood still, and that a log has vanished."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.drill.background import background_failures
from harness.drill.log_watch import LogWatch
from harness.drill.stall_watch import STALLED_S, TICK_S, StallWatch, looking
from harness.history.history import HistoryWriter
from harness.history.measurements import EvidenceMissing, HarnessStalled
from harness.runtime.logs import LogDirectory
from harness.runtime.waiting import until

BLOCKED_S = 3.6


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryWriter]:
    """The history of the test."""
    with HistoryWriter(tmp_path / "history.jsonl") as writer:
        yield writer


@pytest.fixture
def logs(tmp_path: Path) -> LogDirectory:
    """A directory with the log of one service."""
    directory = LogDirectory(tmp_path / "logs")
    directory.make()
    directory.of_service("api").write_text("began\nserves\n")
    return directory


def stalls(history: HistoryWriter) -> list[float]:
    """How long each noted gap was."""
    return [event.took_s for _, event in history.so_far().of(HarnessStalled)]


def missing(history: HistoryWriter) -> list[str]:
    """What was noted as missing."""
    return [event.what for _, event in history.so_far().of(EvidenceMissing)]


def test_failure_that_nothing_waits_for_is_told() -> None:
    """A task that was forgotten, a callback and a thread that fail are told like any other part, and print no trace."""
    told: list[str] = []

    async def forgotten() -> None:
        raise LookupError("task")

    def fail(what: str) -> None:
        raise LookupError(what)

    async def go() -> None:
        with background_failures(lambda cause: told.append(str(cause))):
            asyncio.get_running_loop().call_soon(fail, "callback")
            thread = threading.Thread(target=fail, args=("thread",))
            thread.start()
            thread.join()
            task = asyncio.create_task(forgotten())
            await asyncio.wait([task])
            del task
            gc.collect()
            await until(lambda: len(told) == 3, what="all three to be told", deadline_s=10)

    asyncio.run(go())
    assert sorted(told) == ["callback", "task", "thread"]


@pytest.mark.parametrize(("gap_s", "noted"), [(TICK_S, []), (STALLED_S, []), (3.001, [3.001]), (7200.0, [7200.0])])
def test_gap_of_more_than_three_seconds_is_noted(history: HistoryWriter, gap_s: float, noted: list[float]) -> None:
    """A late tick is none; a stop, or a night with the lid closed, is one, with its length."""
    now_s = [50.0]
    watch = StallWatch(history, lambda: now_s[0])
    now_s[0] += gap_s
    watch.look()
    now_s[0] += TICK_S
    watch.look()
    assert stalls(history) == pytest.approx(noted)


def test_blocked_event_loop_is_noted_before_the_deadlines_that_ran_out_meanwhile(history: HistoryWriter) -> None:
    """Who reads the history knows of the gap before it reads what the gap has caused."""
    seen: list[int] = []

    async def wait() -> None:
        async with looking(StallWatch(history).look):
            await asyncio.sleep(TICK_S * 1.5)
            try:
                async with asyncio.timeout(1.0):
                    blocked_until_s = time.monotonic() + BLOCKED_S
                    while time.monotonic() < blocked_until_s:
                        pass
                    await asyncio.Event().wait()
            except TimeoutError:
                seen.append(len(stalls(history)))

    asyncio.run(wait())
    assert seen == [1]
    assert stalls(history) == [pytest.approx(BLOCKED_S, abs=TICK_S + 1)]


def _removed(log: Path) -> None:
    log.unlink()


def _replaced(log: Path) -> None:
    log.rename(log.with_suffix(".1"))
    log.write_text("began\nserves\nmore\n")


def _emptied(log: Path) -> None:
    log.write_text("")


def _written_anew(log: Path) -> None:
    log.write_text("another beginning, and longer than before\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_removed, "logs/api.log was removed in mid-drill, with 13 bytes in it"),
        (_replaced, "logs/api.log was replaced by another file in mid-drill; the one before had 13 bytes"),
        (_emptied, "logs/api.log shrank in mid-drill from 13 to 0 bytes"),
        (_written_anew, "logs/api.log was written anew in mid-drill, over at least 13 bytes"),
    ],
)
def test_log_that_vanishes_is_told_once(
    history: HistoryWriter, logs: LogDirectory, spoil: Callable[[Path], None], told: str
) -> None:
    """However a log loses what it held, that is noted, and only once."""
    watch = LogWatch(logs, history)
    spoil(logs.of_service("api"))
    watch.look()
    watch.look()
    assert missing(history) == [told]


def test_log_that_grows_and_log_that_is_new_are_as_they_should_be(history: HistoryWriter, logs: LogDirectory) -> None:
    """A service that writes, and one that writes its first line, miss nothing."""
    watch = LogWatch(logs, history)
    with logs.of_service("api").open("a") as log:
        log.write("more\n")
    logs.of_service("other").write_text("began\n")
    watch.look()
    assert missing(history) == []


def test_directory_of_logs_that_is_removed_is_missing_evidence_not_an_error(
    history: HistoryWriter, logs: LogDirectory
) -> None:
    """Without the directory, each log of it is missing."""
    watch = LogWatch(logs, history)
    logs.of_service("api").unlink()
    logs.path.rmdir()
    watch.look()
    assert missing(history) == ["logs/api.log was removed in mid-drill, with 13 bytes in it"]
