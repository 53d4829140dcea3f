"""The spool: what it has taken is on disk, once, in order, whoever else uses it and whenever it is killed."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import wait_until
from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.errors import SpoolFull
from trading.workflow.replay import Replay, replay
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

SetUp = Callable[..., WorkflowSettings]

_MIB = 1024 * 1024

_REPLAY = """
import asyncio
from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.replay import replay
from trading.workflow.settings import read_settings
from trading.workflow.spool import Spool

async def main():
    settings = read_settings()
    with Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes) as spool:
        async with ArtifactStorage(settings, spool) as storage:
            while spool.waiting():
                await replay(storage, budget_s=5)
                await asyncio.sleep(0.05)

asyncio.run(main())
"""

_FILL = """
import sys
from pathlib import Path
from trading.workflow.spool import Spool

spool = Spool(Path(sys.argv[1]), max_bytes=64 * 1024 * 1024)
number = 0
while True:
    spool.add(key=f"{sys.argv[2]}-{number}", execution_id="run", name="n", body="{}", cause="c")
    print(number, flush=True)
    number += 1
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool in a folder of the test."""
    with Spool(tmp_path, max_bytes=64 * _MIB) as opened:
        yield opened


def fill(spool: Spool, run: str, names: list[str]) -> None:
    """Put artifacts of a run into the spool."""
    for name in names:
        artifact = task(run).artifact("chart", name, symbol="AAPL", image_path="a.png", chart_type="daily")
        key = artifact.idempotency_key
        spool.add(key=key, execution_id=run, name=name, body=artifact.body(), cause="refused")


def replay_spool(settings: WorkflowSettings, spool: Spool, *, patient: bool = True) -> Replay:
    """Replay a spool."""

    async def work() -> Replay:
        async with ArtifactStorage(settings, spool) as storage:
            return await replay(storage, budget_s=3, patient=patient)

    return asyncio.run(work())


def test_spool_is_for_its_owner_only(spool: Spool, tmp_path: Path) -> None:
    """Nobody else may read prompts, responses and positions."""
    fill(spool, new_run(), ["one"])
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name


def test_spool_keeps_an_artifact_once(spool: Spool) -> None:
    """A task that runs again while the backend is down adds nothing."""
    run = new_run()
    fill(spool, run, ["one", "two", "one"])
    assert [artifact.name for artifact in spool.waiting()] == ["one", "two"]


def test_spool_fails_loudly_when_it_is_full(tmp_path: Path) -> None:
    """What does not fit is an error that says what to do, never a silent drop; what was taken before stays."""
    with Spool(tmp_path, max_bytes=_MIB) as small:
        for number in range(3):
            small.add(key=f"k{number}", execution_id="run", name="n", body="x" * (_MIB // 4), cause="c")
        with pytest.raises(SpoolFull, match="ARTIFACT_SPOOL_MAX_BYTES"):
            small.add(key="k3", execution_id="run", name="n", body="x" * _MIB, cause="c")
        assert len(small.waiting()) == 3


def test_replay_stores_in_order(parts: Parts, set_up: SetUp, spool: Spool) -> None:
    """Artifacts arrive in the order in which they were made."""
    run, names = new_run(), [f"artifact {number}" for number in range(10)]
    fill(spool, run, names)
    assert replay_spool(set_up(), spool) == Replay(10, 0, 0)
    assert parts.artifacts(run) == names


def test_replay_sends_again_what_was_not_acknowledged(parts: Parts, set_up: SetUp, spool: Spool) -> None:
    """An answer lost after the commit leaves the artifact in the spool, and its second sending makes no second row."""
    run = new_run()
    fill(spool, run, ["one", "two"])
    with failing(parts.backend_url, "reset after commit", "500 after commit") as backend:
        assert replay_spool(set_up(backend_api_url=backend.url), spool) == Replay(2, 0, 0)
    assert parts.artifacts(run) == ["one", "two"]


def test_replay_buries_what_is_refused_and_goes_on(parts: Parts, set_up: SetUp, spool: Spool) -> None:
    """A poisoned record does not block those behind it."""
    run = new_run()
    spool.add(key="poison", execution_id=run, name="poison", body='{"name": ""}', cause="refused")
    fill(spool, run, ["two"])
    assert replay_spool(set_up(), spool) == Replay(1, 1, 0)
    assert parts.artifacts(run) == ["two"]
    (dead,) = spool.dead()
    assert dead.name == "poison"
    assert "422" in dead.reason


def test_replay_without_patience_stops_at_the_first_failure(parts: Parts, set_up: SetUp, spool: Spool) -> None:
    """The pre-flight check does not wait for a backend that is down."""
    fill(spool, new_run(), ["one", "two"])
    with failing(parts.backend_url, "500") as backend:
        assert replay_spool(set_up(backend_api_url=backend.url), spool, patient=False) == Replay(0, 0, 2)
        assert len(backend.requests) == 1


def test_replay_by_two_processes_stores_once(parts: Parts, set_up: SetUp) -> None:
    """Two processes that replay the same spool at the same time leave each artifact once, in order."""
    run, names = new_run(), [f"artifact {number}" for number in range(40)]
    settings = set_up()
    with Spool(settings.artifact_spool_dir, max_bytes=64 * _MIB) as shared:
        fill(shared, run, names)
        processes = [subprocess.Popen([sys.executable, "-c", _REPLAY]) for _ in range(2)]
        assert [process.wait(30) for process in processes] == [0, 0]
        assert parts.artifacts(run) == names
        assert shared.waiting() == []


def test_spool_loses_nothing_of_two_killed_writers(tmp_path: Path) -> None:
    """What two processes were told is spooled is there after both are killed in the middle of their work."""
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    processes = []
    for log in logs:
        with log.open("wb") as output:
            arguments = [sys.executable, "-c", _FILL, str(tmp_path / "spool"), log.name]
            processes.append(subprocess.Popen(arguments, stdout=output))
    wait_until(lambda: all(len(log.read_text().split()) > 10 for log in logs), "both write")
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait(5)
    with Spool(tmp_path / "spool", max_bytes=64 * _MIB) as spool:
        kept = {artifact.idempotency_key for artifact in spool.waiting()}
    told = {f"{log.name}-{number}" for log in logs for number in log.read_text().split("\n")[:-1]}
    assert told <= kept
    assert len(kept) <= len(told) + 2
