"""What the storage client promises to the task, to the people who read its log, and to those who count."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from tests.trading.artifact_case import a_chart, replay_all, settings_of, spool_of, store
from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run
from tests.trading.process import free_port, running_backend
from trading.workflow.artifact_answer import retry_after_s
from trading.workflow.artifact_metrics import ArtifactMetrics
from trading.workflow.artifact_storage import ArtifactStorage, Spooled, Stored
from trading.workflow.errors import ArtifactRejected, SettingsInvalid, SpoolFull
from trading.workflow.replay import replay
from trading.workflow.settings import WorkflowSettings, read_settings

_NOW = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)
_MIB = 1024 * 1024
_TOKEN = "a-token-of-the-test"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("0", 0),
        ("120", 120),
        (format_datetime(_NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(_NOW - timedelta(seconds=90), usegmt=True), 0),
        ("Monday, 23-Nov-26 09:15:00 GMT", 60),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_date(value: str, expected_s: float | None) -> None:
    """Both forms of the standard, the date counted from the server's own clock; anything else counts as absent."""
    answer = httpx.Response(503, headers={"Retry-After": value, "Date": format_datetime(_NOW, usegmt=True)})
    assert retry_after_s(answer) == expected_s


@pytest.mark.parametrize("fault", ["503, 1 s", "429, 1 s", "429, a date 1 s from now"])
def test_storage_waits_as_long_as_the_backend_asks(parts: Parts, tmp_path: Path, fault: str) -> None:
    """A Retry-After of a second is honoured."""
    with failing(parts.backend_url, fault) as backend:
        case = store(settings_of(parts, tmp_path, backend_api_url=backend.url), new_run())
    assert (case.end, case.elapsed_s >= 1) == ("stored", True)


def test_storage_does_not_wait_for_what_comes_too_late(parts: Parts, tmp_path: Path) -> None:
    """When the backend asks for more time than there is, the artifact is spooled at once: the task goes on."""
    with failing(parts.backend_url, "429, an hour") as backend:
        case = store(settings_of(parts, tmp_path, backend_api_url=backend.url), new_run())
    assert (case.end, case.cause) == ("spooled", "http_429")
    assert case.elapsed_s < 2


def test_storage_has_15_s_for_an_artifact() -> None:
    """The deadline of one artifact, when the caller says no other."""
    assert WorkflowSettings.model_fields["artifact_total_s"].default == 15


def test_storage_gives_a_backend_found_down_one_short_try(parts: Parts, tmp_path: Path) -> None:
    """Once an artifact had to be spooled, the next of the task do not wait for all attempts, until one is stored."""
    run = new_run()
    refusing = settings_of(parts, tmp_path, backend_api_url=f"http://127.0.0.1:{free_port()}")

    async def work(settings: WorkflowSettings) -> list[float]:
        took_s = []
        with spool_of(settings) as spool:
            async with ArtifactStorage(settings, spool) as storage:
                for name in ("first", "second"):
                    started_s = time.monotonic()
                    assert isinstance(await storage.store(a_chart(run, name)), Spooled)
                    took_s.append(time.monotonic() - started_s)
        return took_s

    assert asyncio.run(work(refusing))[1] < 0.5
    with spool_of(refusing) as spool:
        assert [artifact.name for artifact in spool.waiting()] == ["first", "second"]


def test_storage_trusts_a_backend_that_is_back(parts: Parts, tmp_path: Path) -> None:
    """After one artifact was stored again, the next has all its attempts again."""
    run = new_run()
    with failing(parts.backend_url, "429, an hour", "forward", "500") as backend:
        settings = settings_of(parts, tmp_path, backend_api_url=backend.url)

        async def work() -> list[type]:
            with spool_of(settings) as spool:
                async with ArtifactStorage(settings, spool) as storage:
                    return [type(await storage.store(a_chart(run, name))) for name in ("first", "second", "third")]

        assert asyncio.run(work()) == [Spooled, Stored, Stored]


def test_storage_stores_once_over_task_retries(parts: Parts, tmp_path: Path) -> None:
    """A task that runs again stores nothing twice."""
    run = new_run()
    assert [store(settings_of(parts, tmp_path), run).end for _ in range(2)] == ["stored", "stored"]
    assert parts.artifacts(run) == ["AAPL daily chart"]


def test_storage_keeps_what_a_wrong_token_made_the_backend_refuse(parts: Parts, tmp_path: Path) -> None:
    """A token that is wrong says nothing of the artifact: it waits in the spool, and the task hears of it."""
    run = new_run()
    environment = {"ARTIFACT_API_TOKEN": _TOKEN}
    with running_backend(parts.database_url, tmp_path / "backend.log", environment) as url:
        wrong = settings_of(parts, tmp_path, backend_api_url=url, artifact_api_token="wrong")  # noqa: S106 - it is
        case = store(wrong, run)
        assert (case.end, len(case.waiting), case.dead) == ("raised", 1, [])
        stopped = replay_all(wrong)
        assert (stopped.left, stopped.dead) == (1, 0)
        assert "401" in stopped.problem
        right = settings_of(parts, tmp_path, backend_api_url=url, artifact_api_token=_TOKEN)
        assert replay_all(right).replayed == 1
    assert parts.artifacts(run) == ["AAPL daily chart"]


def test_storage_fails_loudly_when_no_place_can_take_the_artifact(parts: Parts, tmp_path: Path) -> None:
    """No backend and no room in the spool: an error, never a silent drop."""
    down = {"backend_api_url": f"http://127.0.0.1:{free_port()}", "artifact_attempts": 1}
    settings = settings_of(parts, tmp_path, **down, artifact_spool_max_bytes=_MIB)
    assert store(settings, new_run(), size_bytes=_MIB // 2).end == "spooled"
    with pytest.raises(SpoolFull, match="ARTIFACT_SPOOL_MAX_BYTES"):
        store(settings, new_run(), size_bytes=_MIB // 2)


def test_storage_logs_each_failed_attempt(parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A failed attempt leaves one line with target, cause, attempt, elapsed time, key, and the wait that follows."""
    run = new_run()
    with failing(parts.backend_url, "500", "reset before", "429, an hour") as backend:
        store(settings_of(parts, tmp_path, backend_api_url=backend.url), run)
    lines = [record.getMessage() for record in caplog.records if "attempt_failed" in record.getMessage()]
    key = a_chart(run).idempotency_key
    causes = ["http_5xx", "reset", "http_429"]
    for number, (line, cause) in enumerate(zip(lines, causes, strict=True), start=1):
        assert line.startswith(f"attempt_failed target=backend cause={cause} attempt={number} elapsed_s=")
        assert f"key={key}" in line
        assert bool(re.search(r" next_wait_s=\d+\.\d+", line)) is (number < 3)


def test_storage_never_tells_its_secrets(parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token, wherever the backend repeats it, nor a password in the address: not in logs, not on disk."""
    with failing(parts.backend_url, "500, with the token", always=True) as backend:
        url = backend.url.replace("http://", "http://user:pass-of-the-test@")
        settings = settings_of(parts, tmp_path, backend_api_url=backend.url, artifact_api_token=_TOKEN)
        case = store(settings, new_run())
        store(settings_of(parts, tmp_path, backend_api_url=url, artifact_attempts=1), new_run())
    words = "no: Bearer ***, and no more of ***"
    assert words in case.waiting[0].reason
    assert words in caplog.text
    told = caplog.text + "".join(artifact.reason for artifact in case.waiting)
    assert _TOKEN not in told
    assert "of-the-test" not in told


def test_token_that_fits_into_no_header_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, parts: Parts, tmp_path: Path
) -> None:
    """A line's end behind the token is told at once, by the setting's name and without the token."""
    monkeypatch.setenv("BACKEND_API_URL", parts.backend_url)
    monkeypatch.setenv("DATABASE_URL", parts.database_url)
    monkeypatch.setenv("ARTIFACT_API_TOKEN", f"{_TOKEN}\n")
    with pytest.raises(SettingsInvalid, match="ARTIFACT_API_TOKEN") as told:
        read_settings()
    assert _TOKEN not in str(told.value)


def test_storage_counts_what_becomes_of_artifacts(
    parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A task's end is one line with all its numbers."""
    run = new_run()
    caplog.set_level("INFO")
    faults = ("500", "forward", "422", "429, an hour")
    with failing(parts.backend_url, *faults) as backend:
        settings = settings_of(parts, tmp_path, backend_api_url=backend.url)

        async def work() -> ArtifactMetrics:
            with spool_of(settings) as spool:
                async with ArtifactStorage(settings, spool) as storage:
                    await storage.store(a_chart(run, "stored"))
                    with pytest.raises(ArtifactRejected):
                        await storage.store(a_chart(run, "dead"))
                    await storage.store(a_chart(run, "spooled"))
                    await replay(storage, budget_s=5)
                    return storage.metrics

        assert asyncio.run(work()) == ArtifactMetrics(stored=1, retried=1, spooled=1, replayed=1, dead=1)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("artifact_metrics")]
    assert lines == ["artifact_metrics stored=1 retried=1 spooled=1 replayed=1 dead=1"]
