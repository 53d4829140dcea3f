"""How a run ends: in what order it is said, by whom it is told, and that it is told once however the last task ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port
from tests.trading.relay import relay_to
from trading.workflow import tasks
from trading.workflow.errors import RunFailed
from trading.workflow.notes import Note
from trading.workflow.outcome import judge
from trading.workflow.run_records import Outcome
from trading.workflow.settings import WorkflowSettings
from trading.workflow.task_context import TaskContext

SetUp = Callable[..., WorkflowSettings]

KILLED = "it was killed before it could tell how the run ended"


def outcome_of(parts: Parts, execution_id: str) -> tuple[str, list[str]]:
    """The recorded outcome of a run, and the causes of its reasons."""
    (row,) = parts.rows("SELECT outcome, reasons FROM workflow_runs WHERE execution_id = %s", execution_id)
    return row["outcome"], [reason["cause"] for reason in cast("list[dict[str, str]]", row["reasons"])]


def finalize(execution_id: str, **states: str) -> str:
    """Run the last task."""
    return tasks.finalize(task(execution_id, "finalize"), states)


@pytest.mark.parametrize(
    ("notes", "states", "outcome", "causes"),
    [
        ([], {"a": "success"}, Outcome.SUCCESS, []),
        ([Note("a", "degraded", "x")], {"a": "success"}, Outcome.DEGRADED, ["x"]),
        ([Note("a", "failed", "x")], {"a": "success"}, Outcome.DEGRADED, ["x"]),
        ([Note("a", "failed", "x")], {"a": "failed", "b": "upstream_failed"}, Outcome.FAILED, ["x"]),
        ([], {"a": "failed"}, Outcome.FAILED, ["it failed without a word: killed, or stopped for taking too long"]),
        ([], {"preflight": "skipped"}, Outcome.SUCCESS, ["skipped: the exchange is closed on that day"]),
        (
            [Note("finalize", "degraded", "x")],
            {"preflight": "skipped"},
            Outcome.SUCCESS,
            ["skipped: the exchange is closed on that day"],
        ),
    ],
)
def test_outcome_follows_from_states_and_notes(
    notes: list[Note], states: dict[str, str], outcome: Outcome, causes: list[str]
) -> None:
    """A failed task fails the run, a note degrades it, and a day without trading is a success."""
    judged, reasons = judge(notes, states)
    assert judged is outcome
    assert [reason.cause for reason in reasons] == causes


def test_task_that_was_killed_and_then_succeeded_is_told(parts: Parts, set_up: SetUp) -> None:
    """Its first process left no word; that there is a second one is a word."""
    set_up()
    execution_id = new_run()
    second_try = TaskContext(execution_id, "ibkr_trading_signal_workflow", "get_portfolio", try_number=2)
    tasks.get_portfolio(second_try)
    assert finalize(execution_id, get_portfolio="success") == "degraded"
    assert outcome_of(parts, execution_id) == ("degraded", ["try 2: the one before failed, or was killed"])
    assert len(parts.told(execution_id)) == 1


def test_run_whose_last_task_was_killed_is_recorded_and_told_once(parts: Parts, set_up: SetUp) -> None:
    """The one who notices does what the last task would have done, and a second one nothing more."""
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")
    execution_id = new_run()
    tasks.run_preflight(task(execution_id, "preflight"), {})
    for _ in range(2):
        tasks.tell_unfinished(task(execution_id, "finalize"), KILLED)
    outcome, causes = outcome_of(parts, execution_id)
    assert outcome == "failed"
    assert causes[-1] == KILLED
    assert "check 'backend': refused" in causes[0]
    (text,) = parts.told(execution_id)
    assert KILLED in text


@pytest.mark.parametrize("state", ["failed", "success"])
def test_run_that_was_told_is_not_told_again(parts: Parts, set_up: SetUp, state: str) -> None:
    """The usual end of a failed or degraded run: Airflow calls back all the same."""
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")
    execution_id = new_run()
    tasks.run_preflight(task(execution_id, "preflight"), {})
    if state == "failed":
        with pytest.raises(RunFailed):
            finalize(execution_id, preflight=state)
    else:
        finalize(execution_id, preflight=state)
    ended = outcome_of(parts, execution_id)
    tasks.tell_unfinished(task(execution_id, "finalize"), KILLED)
    assert outcome_of(parts, execution_id) == ended
    assert len(parts.told(execution_id)) == 1


def test_notification_that_failed_does_not_fail_the_run_and_is_made_up_for(parts: Parts, set_up: SetUp) -> None:
    """The inbox is gone at the end of a failed run, which ends as it would have; it is told later, in full."""
    set_up(notify_urls=f"json://127.0.0.1:{free_port()}/x")
    execution_id = new_run()
    with pytest.raises(RunFailed):
        finalize(execution_id, place_order="failed")
    assert outcome_of(parts, execution_id)[0] == "failed"
    set_up()
    tasks.tell_unfinished(task(execution_id, "finalize"), KILLED)
    (text,) = parts.told(execution_id)
    assert "place_order: it failed without a word" in text
    assert KILLED not in text


@pytest.mark.parametrize("url", ["json://127.0.0.1:1/x", "nonsense://?", "json://user:secret@127.0.0.1:1/x"])
def test_notification_that_failed_leaves_a_degraded_run_as_it_is(
    parts: Parts, set_up: SetUp, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused, or an address of no known kind: the outcome stays, and no password is logged."""
    set_up(notify_urls=url, backend_api_url=f"http://127.0.0.1:{free_port()}", artifact_attempts=1)
    execution_id = new_run()
    tasks.get_portfolio(task(execution_id, "get_portfolio"))
    set_up(notify_urls=url)
    assert finalize(execution_id, get_portfolio="success") == "degraded"
    assert any(message.startswith("not_notified") for message in caplog.messages)
    assert "secret" not in caplog.text


def test_run_is_told_once_without_a_database(parts: Parts, set_up: SetUp) -> None:
    """The last task was killed and the database is gone: this host remembers that it was told."""
    with relay_to(parts.database_port) as relay:
        url = parts.database_url.replace(str(parts.database_port), str(relay.port))
        set_up(database_url=url, database_retry_s=0.3)
        relay.cut(refuse=True)
        execution_id = new_run()
        for _ in range(2):
            tasks.tell_unfinished(task(execution_id, "finalize"), KILLED)
    (text,) = parts.told(execution_id)
    assert KILLED in text


def test_run_is_told_once_when_the_settings_are_wrong(parts: Parts, set_up: SetUp, monkeypatch: Any) -> None:
    """No task can do anything, not even the last one; what is wrong is named to people all the same."""
    set_up()
    monkeypatch.setenv("IBKR_PORT", "many")
    execution_id = new_run()
    for _ in range(2):
        tasks.tell_unfinished(task(execution_id, "finalize"), "it failed")
    (text,) = parts.told(execution_id)
    assert "IBKR_PORT" in text


def test_run_is_told_when_the_spool_is_what_is_broken(parts: Parts, set_up: SetUp, tmp_path: Path) -> None:
    """Every task fails for it; the telling does not need it."""
    (tmp_path / "file").touch()
    set_up(artifact_spool_dir=tmp_path / "file" / "spool")
    execution_id = new_run()
    tasks.tell_unfinished(task(execution_id, "finalize"), "it failed: SpoolBroken: no folder")
    (text,) = parts.told(execution_id)
    assert "SpoolBroken" in text
    assert outcome_of(parts, execution_id)[0] == "failed"


def test_run_that_is_one_failure_too_many_says_that_the_workflow_stops(
    parts: Parts, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three in a row, of which a success in between is none; the third one says it, the others do not."""
    set_up()
    monkeypatch.setenv("WORKFLOW_MAX_FAILED_RUNS", "3")
    dag_id = new_run()
    told = []
    for ends in ("failed", "failed", "success", "failed", "failed", "failed"):
        execution_id = new_run()
        last = TaskContext(execution_id, dag_id, "finalize")
        if ends == "failed":
            with pytest.raises(RunFailed):
                tasks.finalize(last, {"place_order": ends})
        else:
            tasks.finalize(last, {"place_order": ends})
        told.append(" ".join(parts.told(execution_id)))
    assert ["stopped: 3 runs in a row have failed" in text for text in told] == [False] * 5 + [True]
    assert "Airflow pauses" in told[-1]
