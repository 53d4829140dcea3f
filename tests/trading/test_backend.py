"""The artifacts API: a repeat makes no second row, and a database that is gone is said in time."""

from __future__ import annotations

import concurrent.futures
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.trading.conftest import url_of
from tests.trading.parts import Parts, new_run
from tests.trading.process import answers, free_port, running_backend, wait_until
from tests.trading.relay import relay_to

PATH = "/api/artifacts/"


def body_of(run: str, **changes: Any) -> dict[str, Any]:
    """An artifact's body."""
    return {"name": "one", "type": "chart", "execution_id": run, **changes}


def test_backend_answers_a_repeat_with_the_first_row(parts: Parts) -> None:
    """The same key again gives 200 and the row that the first one made, whatever else it says."""
    run = new_run()
    headers = {"Idempotency-Key": f"key of {run}"}
    first = httpx.post(parts.backend_url + PATH, json=body_of(run), headers=headers)
    again = httpx.post(parts.backend_url + PATH, json=body_of(run, name="two"), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert parts.artifacts(run) == ["one"]


def test_backend_stores_once_when_twenty_ask_at_once(parts: Parts) -> None:
    """Concurrent repeats see the same row, and one of them made it."""
    run = new_run()

    def ask(_: int) -> tuple[int, int]:
        answer = httpx.post(parts.backend_url + PATH, json=body_of(run), headers={"Idempotency-Key": f"many {run}"})
        return answer.status_code, answer.json()["id"]

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answered = list(pool.map(ask, range(20)))
    assert sorted(status for status, _ in answered) == [200] * 19 + [201]
    assert len({identifier for _, identifier in answered}) == 1
    assert parts.artifacts(run) == ["one"]


def test_backend_stores_each_artifact_that_has_no_key(parts: Parts) -> None:
    """Without a key there is nothing to recognise a repeat by."""
    run = new_run()
    for _ in range(2):
        assert httpx.post(parts.backend_url + PATH, json=body_of(run)).status_code == 201
    assert len(parts.artifacts(run)) == 2


def test_backend_changes_and_removes_what_it_stored(parts: Parts) -> None:
    """An artifact can be read, changed in part, and deleted."""
    made = httpx.post(parts.backend_url + PATH, json=body_of(new_run(), prompt="why")).json()
    assert made["prompt_length"] == 3
    address = f"{parts.backend_url}{PATH}{made['id']}"
    changed = httpx.patch(address, json={"action": "BUY"}).json()
    assert changed | {"action": None, "updated_at": made["updated_at"]} == made
    assert httpx.get(address).json() == changed
    assert httpx.delete(address).status_code == 204
    assert httpx.get(address).status_code == 404


def test_backend_lists_pages_with_the_true_total(parts: Parts) -> None:
    """`total` counts all that match, not the page; the cursor leads through all of them."""
    run = new_run()
    for number in range(5):
        httpx.post(parts.backend_url + PATH, json=body_of(run, name=str(number)))
    query: dict[str, Any] = {"execution_id": run, "limit": 2, "group_by": "execution_id"}
    seen: list[str] = []
    while True:
        page = httpx.get(parts.backend_url + PATH, params=query).json()
        assert page["total"] == 5
        assert page["group_count"] == 1
        assert page["grouped"][run] == page["artifacts"]
        seen += [artifact["name"] for artifact in page["artifacts"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["4", "3", "2", "1", "0"]


def test_backend_serves_no_file_outside_its_folder(parts: Parts) -> None:
    """An image path that leads out of the folder of charts is not followed."""
    made = httpx.post(parts.backend_url + PATH, json=body_of(new_run(), image_path="../../etc/passwd")).json()
    assert httpx.get(f"{parts.backend_url}{PATH}{made['id']}/image").status_code == 404


@pytest.mark.parametrize("wrong", [{"type": "poem"}, {"name": ""}, {"confidence": 2}, {"surprise": 1}, {"name": "\0"}])
def test_backend_refuses_what_is_no_artifact(parts: Parts, wrong: dict[str, Any]) -> None:
    """A wrong body is the client's fault, and is said to be."""
    assert httpx.post(parts.backend_url + PATH, json=body_of(new_run(), **wrong)).status_code == 422


def test_backend_wants_its_token(parts: Parts, tmp_path: Path) -> None:
    """With a token set, nothing is stored or shown without it; health needs none."""
    with running_backend(parts.database_url, tmp_path / "log", {"ARTIFACT_API_TOKEN": "s3cret"}) as url:
        assert httpx.get(url + PATH).status_code == 401
        assert httpx.get(url + PATH, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(url + PATH, headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_backend_started_before_its_database_recovers(parts: Parts, tmp_path: Path) -> None:
    """It lives, says in time what is missing, and migrates and serves as soon as the database is there."""
    with psycopg.connect(parts.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE later")
    port = free_port()
    with running_backend(url_of(port, "later"), tmp_path / "log", ready=False) as url:
        started_s = time.monotonic()
        health = httpx.get(url + "/health/ready")
        assert health.status_code == 503
        assert set(health.json()["failed"]) == {"database", "schema"}
        refused = httpx.post(url + PATH, json=body_of("run"))
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert time.monotonic() - started_s < 3
        with relay_to(parts.database_port, port=port):
            wait_until(lambda: answers(url + "/health/ready"), "the backend is ready")
            assert httpx.post(url + PATH, json=body_of("run")).status_code == 201


def test_backend_says_in_time_that_its_database_is_silent(parts: Parts, tmp_path: Path) -> None:
    """A database that stops answering costs a request two seconds, not for ever, and is used again when it is back."""
    with relay_to(parts.database_port) as relay, running_backend(url_of(relay.port), tmp_path / "log") as url:
        assert httpx.post(url + PATH, json=body_of(new_run())).status_code == 201
        relay.stall()
        started_s = time.monotonic()
        answer = httpx.post(url + PATH, json=body_of(new_run()), timeout=5)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert time.monotonic() - started_s < 2.5
        started_s = time.monotonic()
        health = httpx.get(url + "/health/ready", timeout=5)
        assert health.status_code == 503
        assert "database" in health.json()["failed"]
        assert time.monotonic() - started_s < 1.5
        assert httpx.get(url + "/health/live", timeout=1).status_code == 200
        # The connections that were open stay silent, as they do after a real outage.
        relay.cut(refuse=True)
        relay.restore()
        wait_until(lambda: answers(url + "/health/ready"), "the backend is ready again")
        assert httpx.post(url + PATH, json=body_of(new_run())).status_code == 201
