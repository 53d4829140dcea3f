"""The replay: in order, each artifact once, in batches or one by one, and what cannot be stored blocks nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trading.artifact_case import a_chart, replay_all, settings_of, spool_of
from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run
from tests.trading.process import free_port
from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.replay import Replay, replay
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]

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
            print(await replay(storage, budget_s=10))

asyncio.run(main())
"""


@pytest.fixture
def settings(parts: Parts, tmp_path: Path) -> WorkflowSettings:
    """Settings with the real backend and a spool of the test."""
    return settings_of(parts, tmp_path)


def fill(settings: WorkflowSettings, run: str, *names: str) -> None:
    """Put artifacts of a run into the spool."""
    with spool_of(settings) as spool:
        for name in names:
            artifact = a_chart(run, name)
            key = artifact.idempotency_key
            spool.add(key=key, execution_id=run, name=name, body=artifact.body(), cause="refused")


def spoil(settings: WorkflowSettings, run: str, name: str, body: str, *, key: str = "") -> None:
    """Put something that can never be stored into the spool."""
    with spool_of(settings) as spool:
        spool.add(key=key or f"{run}-{name}", execution_id=run, name=name, body=body, cause="refused")


def through(parts: Parts, settings: WorkflowSettings, *faults: str, always: bool = False) -> tuple[Replay, int]:
    """Replay through a backend that fails; return what was done, and how many requests it took."""
    with failing(parts.backend_url, *faults, always=always) as backend:
        failing_settings = settings_of(
            parts, settings.artifact_spool_dir, backend_api_url=backend.url, artifact_total_s=2.0
        )
        return replay_all(failing_settings), len(backend.requests)


def test_replay_stores_in_order(parts: Parts, settings: WorkflowSettings) -> None:
    """Artifacts arrive in the order in which they were made."""
    run, names = new_run(), [f"artifact {number}" for number in range(250)]
    fill(settings, run, *names)
    assert through(parts, settings) == (Replay(250, 0, 0), 3)
    assert parts.artifacts(run) == names


@pytest.mark.parametrize(
    "fault", ["404", "413", "500", "422", "{}", "html", "reset after commit", "silent after commit"]
)
def test_replay_goes_on_one_by_one_where_a_batch_fails(parts: Parts, settings: WorkflowSettings, fault: str) -> None:
    """A backend without batches, or one to which a batch is too much, gets its artifacts all the same."""
    run, names = new_run(), [f"artifact {number}" for number in range(5)]
    fill(settings, run, *names)
    assert through(parts, settings, fault) == (Replay(5, 0, 0), 6)
    assert parts.artifacts(run) == names


def test_replay_sends_again_what_was_not_acknowledged(parts: Parts, settings: WorkflowSettings) -> None:
    """An answer lost after the commit leaves the artifact in the spool, and its second sending makes no second row."""
    run = new_run()
    fill(settings, run, "one", "two")
    faults = ("reset after commit", "reset after commit", "500 after commit")
    assert through(parts, settings, *faults)[0] == Replay(2, 0, 0)
    assert sorted(parts.artifacts(run)) == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"name": ""}', "422"),
        ("[1]", "cannot be decoded"),
        ('{"name": "cut of', "cannot be decoded"),
        ('{"name": "n", "type": "colour"}', "422"),
    ],
)
def test_replay_buries_what_is_poisoned_and_goes_on(
    parts: Parts, settings: WorkflowSettings, body: str, reason: str
) -> None:
    """A record that can never be stored does not block those behind it, and lies there with its reason."""
    run = new_run()
    fill(settings, run, "one")
    spoil(settings, run, "poison", body)
    fill(settings, run, "two")
    assert replay_all(settings) == Replay(2, 1, 0)
    assert parts.artifacts(run) == ["one", "two"]
    with spool_of(settings) as spool:
        (dead,) = spool.dead()
    assert dead.name == "poison"
    assert reason in dead.reason


def test_replay_buries_what_has_a_key_that_cannot_be_sent(parts: Parts, settings: WorkflowSettings) -> None:
    """Damage in the key itself."""
    run = new_run()
    spoil(settings, run, "damaged", "{}", key="a\nb")
    fill(settings, run, "whole")
    assert replay_all(settings) == Replay(1, 1, 0)
    assert parts.artifacts(run) == ["whole"]


def test_replay_passes_by_what_alone_is_not_taken(parts: Parts, settings: WorkflowSettings) -> None:
    """An artifact at which the backend always fails stays behind, and blocks neither the others nor the task."""
    run = new_run()
    fill(settings, run, "unlucky", "one", "two")
    # The batch, then each alone: in three rounds the first is never taken.
    assert through(parts, settings, "500", "500", "forward", "forward", "500", "500")[0] == Replay(2, 0, 1)
    assert parts.artifacts(run) == ["one", "two"]
    assert replay_all(settings) == Replay(1, 0, 0)
    assert parts.artifacts(run) == ["one", "two", "unlucky"]


def test_replay_honours_the_time_that_the_backend_asks_for(parts: Parts, settings: WorkflowSettings) -> None:
    """A Retry-After is waited for, within the replay's own time."""
    fill(settings, new_run(), "one")
    started_s = time.monotonic()
    assert through(parts, settings, "503, 1 s") == (Replay(1, 0, 0), 2)
    assert time.monotonic() - started_s >= 1


def test_replay_keeps_its_time(parts: Parts, settings: WorkflowSettings) -> None:
    """A backend that never comes to an end holds the last task no longer than was agreed."""
    fill(settings, new_run(), "one", "two")
    with failing(parts.backend_url, "trickle", always=True) as backend:
        started_s = time.monotonic()
        trickling = settings_of(parts, settings.artifact_spool_dir, backend_api_url=backend.url)
        assert replay_all(trickling, budget_s=0.5) == Replay(0, 0, 2)
        assert time.monotonic() - started_s < 1.5


def test_replay_without_patience_stops_at_the_first_failure(parts: Parts, settings: WorkflowSettings) -> None:
    """The pre-flight check does not wait for a backend that is down."""
    fill(settings, new_run(), "one", "two")
    with failing(parts.backend_url, "503, 1 s") as backend:
        failing_settings = settings_of(parts, settings.artifact_spool_dir, backend_api_url=backend.url)

        async def work() -> Replay:
            with spool_of(failing_settings) as spool:
                async with ArtifactStorage(failing_settings, spool) as storage:
                    return await replay(storage, budget_s=5, patient=False)

        assert asyncio.run(work()) == Replay(0, 0, 2)
        assert len(backend.requests) == 1


def test_replay_by_two_processes_stores_once(parts: Parts, set_up: SetUp) -> None:
    """Two processes that replay the same spool at the same time leave each artifact once, in order; both say so."""
    run, names = new_run(), [f"artifact {number}" for number in range(150)]
    settings = set_up()
    fill(settings, run, *names)
    processes = [subprocess.Popen([sys.executable, "-c", _REPLAY], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=30)[0] for process in processes]
    assert parts.artifacts(run) == names
    assert all("dead=0, left=0, problem=''" in words for words in told), told


def test_replay_of_a_broken_spool_is_told(settings: WorkflowSettings) -> None:
    """The last task goes on and has something to tell, rather than failing before it could."""
    with spool_of(settings) as spool:
        spool.path.write_bytes(b"not a database" * 1000)
    done = replay_all(settings)
    assert (done.replayed, done.dead, done.left) == (0, 0, 0)
    assert "not a database" in done.problem


def test_replay_that_cannot_forget_sends_again_and_stores_once(parts: Parts, settings: WorkflowSettings) -> None:
    """The spool cannot be written any more after the artifact was stored: told, and later no second row."""
    run = new_run()
    fill(settings, run, "one", "two")
    with spool_of(settings) as spool:
        spool._file.execute("CREATE TRIGGER no BEFORE DELETE ON waiting BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        assert "disk is full" in replay_all(settings).problem
        assert parts.artifacts(run) == ["one", "two"]
        spool._file.execute("DROP TRIGGER no")
    assert replay_all(settings) == Replay(2, 0, 0)
    assert parts.artifacts(run) == ["one", "two"]


def test_replay_against_a_port_without_a_server_leaves_all(parts: Parts, settings: WorkflowSettings) -> None:
    """Nothing is lost by trying."""
    fill(settings, new_run(), "one", "two")
    nowhere = settings_of(parts, settings.artifact_spool_dir, backend_api_url=f"http://127.0.0.1:{free_port()}")
    assert replay_all(nowhere, budget_s=0.5) == Replay(0, 0, 2)
