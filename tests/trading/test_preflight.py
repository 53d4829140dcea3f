"""The pre-flight on real parts: what blocks, what degrades, and that it never takes long to say so."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from tests.trading.flights import fly, noted
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port
from trading.workflow import preflight_checks, tasks
from trading.workflow.errors import (
    GatewayUnavailable,
    RunDatabaseUnavailable,
    RunSkipped,
    SpoolBroken,
    SpoolFull,
)
from trading.workflow.preflight import CHECKS, Check, Verdict, perform
from trading.workflow.preflight_checks import CheckFailed, Party
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


@contextlib.contextmanager
def backend_that_answers_a_probe(status: int, body: str, *, after_s: float = 0) -> Iterator[str]:
    """A backend that is ready, and answers a probe for writing as it is told."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, '{"status": "ready", "failed": {}}')

        def do_POST(self) -> None:
            over.wait(after_s)
            self._say(status, body)

        def _say(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def test_preflight_of_a_healthy_stack_says_of_each_check_that_it_is_ok(
    clean_gateway: Parts, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """One event a check, nothing noted, the start recorded, and all of it in no time."""
    set_up()
    execution_id = new_run()
    caplog.set_level("INFO")
    started_s = time.monotonic()
    assert fly(execution_id) == ["AAPL"]
    assert time.monotonic() - started_s < 3
    lines = [message for message in caplog.messages if message.startswith("preflight_check")]
    assert len(lines) == len(CHECKS)
    assert all("verdict=ok elapsed_s=" in line and "detail=" in line for line in lines)
    assert noted(clean_gateway, execution_id) == []
    rows = clean_gateway.rows("SELECT outcome FROM workflow_runs WHERE execution_id = %s", execution_id)
    assert rows == [{"outcome": "running"}]


def test_preflight_blocks_without_a_database(set_up: SetUp, parts: Parts) -> None:
    """An order could not be recorded: nothing goes on, although everything else is there."""
    url = parts.database_url.replace(str(parts.database_port), str(free_port()))
    set_up(database_url=url, database_retry_s=0.3)
    with pytest.raises(RunDatabaseUnavailable, match="refused"):
        fly(new_run())


@pytest.mark.parametrize("step", ["", "0000"])
def test_preflight_blocks_on_a_schema_at_another_step(set_up: SetUp, parts: Parts, step: str) -> None:
    """An empty database, and one that was migrated for other code."""
    name = f"schema_{step or 'none'}"
    with psycopg.connect(parts.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = parts.database_url.replace("/ibkr_trading", f"/{name}")
    if step:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num text)")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", (step,))
    set_up(database_url=url)
    words = f"the schema is at step {step or 'none'}, and should be at {preflight_checks.schema_head()}"
    with pytest.raises(RunDatabaseUnavailable, match=words):
        fly(new_run())


def test_preflight_goes_on_without_a_backend(parts: Parts, set_up: SetUp) -> None:
    """Refused: noted once, and the check that needs a backend is not made."""
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")
    execution_id = new_run()
    assert fly(execution_id) == ["AAPL"]
    (cause,) = noted(parts, execution_id)
    assert "check 'backend': refused" in cause


@pytest.mark.parametrize(
    ("status", "body", "after_s", "words"),
    [
        (200, '{"writable": true, "elapsed_ms": 1.5}', 0, ""),
        (200, '{"writable": false}', 0, "answer 200"),
        (200, "<html>", 0, "answer 200: <html>"),
        (503, '{"detail": "read-only"}', 0, "answer 503: .*read-only"),
        (404, "", 0, r"has no /api/artifacts/probe \(answer 404\): it is older"),
        (405, "", 0, r"has no /api/artifacts/probe \(answer 405\): it is older"),
        (200, "", 30, "timeout"),
    ],
)
def test_preflight_asks_the_backend_to_write(
    parts: Parts, set_up: SetUp, status: int, body: str, after_s: float, words: str
) -> None:
    """A backend that is ready and cannot write is noted; one that is older than the probe, as such."""
    execution_id = new_run()
    with backend_that_answers_a_probe(status, body, after_s=after_s) as url:
        set_up(backend_api_url=url)
        assert fly(execution_id) == ["AAPL"]
    causes = noted(parts, execution_id)
    assert len(causes) == bool(words)
    assert re.search(words, "".join(causes))
    assert all(cause.startswith("pre-flight check 'artifacts': ") for cause in causes)


def test_preflight_blocks_on_a_full_disk(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the backend does not take would have nowhere to go."""
    monkeypatch.setattr(preflight_checks, "DISK_MIN_BYTES", 2**62)
    set_up()
    with pytest.raises(SpoolFull, match=f"bytes free; at least {2**62} are needed"):
        fly(new_run())


@pytest.mark.parametrize("folder", ["/proc/spool", "{tmp}/a_file/spool"])
def test_preflight_blocks_on_a_folder_that_cannot_be_written(set_up: SetUp, tmp_path: Path, folder: str) -> None:
    """A spool that cannot even be made has a name, too."""
    (tmp_path / "a_file").touch()
    set_up(artifact_spool_dir=folder.format(tmp=tmp_path))
    with pytest.raises(SpoolBroken, match="spool"):
        fly(new_run())


THANKSGIVING = datetime(2026, 11, 26, 14, tzinfo=UTC)


def test_scheduled_run_on_a_holiday_is_skipped_without_a_notification(parts: Parts, set_up: SetUp) -> None:
    """The pre-flight asks no service, and the last task records that all is well, and why nothing was done."""
    set_up(ibkr_port=free_port())
    execution_id = new_run()
    with pytest.raises(RunSkipped, match="closed on 2026-11-26; the next trading day is 2026-11-27"):
        tasks.run_preflight(task(execution_id, "preflight"), {}, THANKSGIVING)
    states = dict.fromkeys(("preflight", "fetch_market_data", "get_portfolio"), "skipped")
    assert tasks.finalize(task(execution_id, "finalize"), states) == "success"
    (row,) = parts.rows("SELECT outcome, reasons FROM workflow_runs WHERE execution_id = %s", execution_id)
    assert row["outcome"] == "success"
    assert "skipped: the exchange is closed" in str(row["reasons"])
    assert parts.told(execution_id) == []


def test_scheduled_run_on_a_trading_day_is_not_skipped(set_up: SetUp) -> None:
    """The day after Thanksgiving, which is a short one; and the evening before, which is Thursday in UTC already."""
    set_up()
    for scheduled_at in (THANKSGIVING + timedelta(days=1), datetime(2026, 11, 26, 1, tzinfo=UTC)):
        assert tasks.run_preflight(task(new_run(), "preflight"), {}, scheduled_at) == ["AAPL"]


NO_PARTY = Party(cast("Any", None))


def test_checks_are_made_at_once() -> None:
    """Each of these waits for the other: made in turn, they would never end."""

    async def run() -> list[Verdict]:
        both = asyncio.Barrier(2)

        async def probe(_party: Party) -> str:
            await both.wait()
            return "met"

        return [result.verdict for result in await perform([Check("a", probe, 5), Check("b", probe, 5)], NO_PARTY)]

    assert asyncio.run(run()) == [Verdict.OK, Verdict.OK]


def test_checks_end_at_their_deadline_and_have_a_verdict_after_any_error() -> None:
    """One that never ends, one that has a bug, one that found something, and one that needs one of them."""

    async def endless(_party: Party) -> str:
        await asyncio.Event().wait()
        return ""

    async def broken(_party: Party) -> str:
        raise KeyError("bug")

    async def bad(_party: Party) -> str:
        raise CheckFailed("as it should not be")

    async def good(_party: Party) -> str:
        return "as it should be"

    table = [
        Check("endless", endless, 0.1, GatewayUnavailable),
        Check("broken", broken, 1),
        Check("bad", bad, 1, SpoolFull),
        Check("needy", good, 1, needs="bad"),
        Check("glad", good, 1, needs="good"),
        Check("good", good, 1),
    ]
    results = {result.name: result for result in asyncio.run(perform(table, NO_PARTY))}
    verdicts = {name: result.verdict.value for name, result in results.items()}
    assert verdicts == {
        "endless": "block",
        "broken": "degrade",
        "bad": "block",
        "needy": "not_checked",
        "glad": "ok",
        "good": "ok",
    }
    assert isinstance(results["endless"].error, GatewayUnavailable)
    assert "no end of the check 'endless' within 0.1 s" in results["endless"].detail
    assert results["broken"].detail == "KeyError: 'bug'"
    assert isinstance(results["bad"].error, SpoolFull)
