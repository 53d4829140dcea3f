"""The storage client against a backend that fails in every way seen: the artifact is stored once, or spooled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port
from trading.workflow.artifact import Artifact
from trading.workflow.artifact_storage import ArtifactStorage, Spooled, Stored
from trading.workflow.errors import ArtifactRejected
from trading.workflow.replay import Replay, replay
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

SetUp = Callable[..., WorkflowSettings]


def an_artifact(run: str, name: str = "AAPL daily chart") -> Artifact:
    """An artifact of a run."""
    return task(run).artifact("chart", name, symbol="AAPL", image_path="a.png", chart_type="daily")


def spool_of(settings: WorkflowSettings) -> Spool:
    """The spool that the settings name."""
    return Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes)


def store(settings: WorkflowSettings, artifact: Artifact, *, total_s: float = 15.0) -> Stored | Spooled:
    """Store one artifact, as a task does."""

    async def work() -> Stored | Spooled:
        with spool_of(settings) as spool:
            async with ArtifactStorage(settings, spool, total_s=total_s) as storage:
                return await storage.store(artifact)

    return asyncio.run(work())


def replay_all(settings: WorkflowSettings) -> Replay:
    """Replay the spool, as the last task does."""

    async def work() -> Replay:
        with spool_of(settings) as spool:
            async with ArtifactStorage(settings, spool) as storage:
                return await replay(storage, budget_s=5)

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("faults", "requests"),
    [
        ((), 1),
        (("500",), 2),
        (("500 after commit",), 2),
        (("503, 1 s",), 2),
        (("429",), 2),
        (("reset before",), 2),
        (("reset after commit",), 2),
        (("reset in body",), 2),
        (("html",), 2),
        (("empty",), 2),
        (("{}",), 2),
        (("another row",), 2),
        (("reset after commit", "500 after commit"), 3),
    ],
)
def test_storage_stores_once_when_an_attempt_fails(
    parts: Parts, set_up: SetUp, faults: tuple[str, ...], requests: int
) -> None:
    """Whatever spoils an attempt, before or after the commit, the next one leaves exactly one row."""
    run = new_run()
    with failing(parts.backend_url, *faults) as backend:
        outcome = store(set_up(backend_api_url=backend.url), an_artifact(run))
    assert isinstance(outcome, Stored)
    assert len(backend.requests) == requests
    assert len({request.headers["idempotency-key"] for request in backend.requests}) == 1
    assert parts.artifacts(run) == ["AAPL daily chart"]


def test_storage_waits_as_long_as_the_backend_asks(parts: Parts, set_up: SetUp) -> None:
    """A Retry-After of a second is honoured."""
    started_s = time.monotonic()
    with failing(parts.backend_url, "503, 1 s") as backend:
        store(set_up(backend_api_url=backend.url), an_artifact(new_run()))
    assert time.monotonic() - started_s >= 1


def test_storage_spools_when_refused_and_replays_once(parts: Parts, set_up: SetUp) -> None:
    """A backend that is down costs about two seconds and no artifact."""
    run = new_run()
    started_s = time.monotonic()
    outcome = store(set_up(backend_api_url=f"http://127.0.0.1:{free_port()}"), an_artifact(run))
    assert isinstance(outcome, Spooled)
    assert outcome.cause == "refused"
    assert time.monotonic() - started_s < 5
    assert parts.artifacts(run) == []
    settings = set_up()
    assert replay_all(settings) == Replay(replayed=1, dead=0, left=0)
    assert replay_all(settings) == Replay(replayed=0, dead=0, left=0)
    assert parts.artifacts(run) == ["AAPL daily chart"]


@pytest.mark.parametrize("fault", ["trickle", "silent after commit"])
def test_storage_keeps_its_total_deadline(parts: Parts, set_up: SetUp, fault: str) -> None:
    """An answer that never ends holds the task no longer than the deadline, and the replay leaves one row."""
    run = new_run()
    with failing(parts.backend_url, fault, fault, fault) as backend:
        started_s = time.monotonic()
        outcome = store(set_up(backend_api_url=backend.url), an_artifact(run), total_s=0.8)
        assert time.monotonic() - started_s < 2
    assert outcome == Spooled("timeout")
    replay_all(set_up())
    assert parts.artifacts(run) == ["AAPL daily chart"]


@pytest.mark.parametrize("fault", ["400", "422"])
def test_storage_reports_a_refusal_without_trying_again(parts: Parts, set_up: SetUp, fault: str) -> None:
    """An answer that will never change is raised at once, and what was refused is kept with the reason."""
    run = new_run()
    with failing(parts.backend_url, fault) as backend:
        settings = set_up(backend_api_url=backend.url)
        with pytest.raises(ArtifactRejected, match=fault):
            store(settings, an_artifact(run))
    assert len(backend.requests) == 1
    with spool_of(settings) as spool:
        (dead,) = spool.dead()
        assert spool.waiting() == []
    assert dead.execution_id == run
    assert fault in dead.reason


def test_storage_gives_a_backend_found_down_one_short_try(set_up: SetUp) -> None:
    """Once an artifact had to be spooled, the next ones of the task do not wait for all attempts again."""
    run = new_run()
    settings = set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")

    async def work(spool: Spool) -> float:
        async with ArtifactStorage(settings, spool) as storage:
            await storage.store(an_artifact(run, "first"))
            started_s = time.monotonic()
            await storage.store(an_artifact(run, "second"))
            return time.monotonic() - started_s

    with spool_of(settings) as spool:
        assert asyncio.run(work(spool)) < 0.5
        assert [artifact.name for artifact in spool.waiting()] == ["first", "second"]


def test_storage_stores_once_over_task_retries(parts: Parts, set_up: SetUp) -> None:
    """A task that runs again stores nothing twice."""
    run = new_run()
    assert store(set_up(), an_artifact(run)) == store(set_up(), an_artifact(run))
    assert parts.artifacts(run) == ["AAPL daily chart"]


def test_storage_logs_each_failed_attempt(parts: Parts, set_up: SetUp, caplog: pytest.LogCaptureFixture) -> None:
    """A failed attempt leaves one line with target, cause, attempt and elapsed time."""
    with failing(parts.backend_url, "500", "reset before") as backend:
        store(set_up(backend_api_url=backend.url), an_artifact(new_run()))
    lines = [record.getMessage() for record in caplog.records if "attempt_failed" in record.getMessage()]
    assert len(lines) == 2
    assert lines[0].startswith("attempt_failed target=backend cause=http_5xx attempt=1 elapsed_s=")
    assert lines[1].startswith("attempt_failed target=backend cause=")
    assert "attempt=2" in lines[1]
