"""Batches of artifacts: all or none, in order, and each once however often it comes."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from tests.trading.parts import Parts, new_run

PATH = "/api/artifacts/batch"


def entry(run: str, key: str, **changes: Any) -> dict[str, Any]:
    """An artifact of a batch; its name is its key, unless it is given another."""
    artifact = {"name": key, "type": "chart", "execution_id": run, **changes}
    return {"idempotency_key": f"{run} {key}", "artifact": artifact}


def send(parts: Parts, entries: Iterable[dict[str, Any]]) -> httpx.Response:
    """Send a batch."""
    return httpx.post(parts.backend_url + PATH, json={"artifacts": list(entries)})


def send_until_taken(parts: Parts, entries: list[dict[str, Any]]) -> httpx.Response:
    """Send a batch, and send it again while the answer is 503, as its clients do."""
    for _ in range(20):
        answer = send(parts, entries)
        if answer.status_code != 503:
            break
    return answer


def created_of(answer: httpx.Response) -> list[tuple[str, bool]]:
    """The names that came back, each with whether it is new."""
    return [(each["artifact"]["name"], each["created"]) for each in answer.json()["artifacts"]]


def test_batch_is_stored_in_its_order(parts: Parts) -> None:
    """Rows are answered, and numbered, in the order of the request; each as the single route answers it."""
    run = new_run()
    names = ["c", "a", "b"]
    answer = send(parts, (entry(run, name, prompt="why") for name in names))
    assert answer.status_code == 201
    assert created_of(answer) == [(name, True) for name in names]
    assert parts.artifacts(run) == names
    for each in answer.json()["artifacts"]:
        row = each["artifact"]
        assert httpx.get(f"{parts.backend_url}/api/artifacts/{row['id']}").json() == row
        assert row["prompt_length"] == 3


def test_batch_answers_a_repeat_with_the_first_rows(parts: Parts) -> None:
    """Whole or in part, and whichever route stored it first, a known key gives its first row and no second one."""
    run = new_run()
    single = entry(run, "first")
    first = httpx.post(
        f"{parts.backend_url}/api/artifacts/",
        json=single["artifact"],
        headers={"Idempotency-Key": single["idempotency_key"]},
    )
    mixed = send(parts, [entry(run, "new"), entry(run, "first", name="changed")])
    assert (mixed.status_code, created_of(mixed)) == (201, [("new", True), ("first", False)])
    assert mixed.json()["artifacts"][1]["artifact"] == first.json()
    again = send(parts, [entry(run, "new", name="changed"), entry(run, "first")])
    assert (again.status_code, created_of(again)) == (200, [("new", False), ("first", False)])
    assert [each["artifact"] for each in again.json()["artifacts"]] == [
        each["artifact"] for each in mixed.json()["artifacts"]
    ]
    assert parts.artifacts(run) == ["first", "new"]


def test_batch_stores_a_key_once_that_comes_twice_in_it(parts: Parts) -> None:
    """The first of the same key counts, and the second is answered as the repeat that it is."""
    run = new_run()
    answer = send(parts, [entry(run, "a"), entry(run, "b"), entry(run, "a", name="changed")])
    assert created_of(answer) == [("a", True), ("b", True), ("a", False)]
    assert parts.artifacts(run) == ["a", "b"]


@pytest.mark.parametrize("wrong", [{"metadata": ["\0"]}, {"response": "\0"}])
def test_batch_is_stored_whole_or_not_at_all(parts: Parts, wrong: dict[str, Any]) -> None:
    """What the database refuses in one artifact keeps the others out, too; the answer names index and field."""
    run = new_run()
    answer = send(parts, [entry(run, "a"), entry(run, "b"), entry(run, "c", **wrong), entry(run, "d")])
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error["loc"][:5] == ["body", "artifacts", 2, "artifact", *wrong]
    assert parts.artifacts(run) == []
    assert created_of(send(parts, [entry(run, "a")])) == [("a", True)]


def test_batch_names_every_index_and_field_that_is_wrong(parts: Parts) -> None:
    """A client can mend all of it after one answer."""
    run = new_run()
    keyless = {"artifact": {"name": "x", "type": "chart"}}
    answer = send(parts, [entry(run, "a"), entry(run, "b", type="poem", name=""), keyless])
    assert answer.status_code == 422
    assert sorted(error["loc"] for error in answer.json()["detail"]) == [
        ["body", "artifacts", 1, "artifact", "name"],
        ["body", "artifacts", 1, "artifact", "type"],
        ["body", "artifacts", 2, "idempotency_key"],
    ]
    assert parts.artifacts(run) == []


@pytest.mark.parametrize(("size", "status"), [(0, 422), (1, 201), (500, 201), (501, 422)])
def test_batch_has_its_bounds(parts: Parts, size: int, status: int) -> None:
    """From one artifact to five hundred."""
    run = new_run()
    assert send(parts, (entry(run, str(number)) for number in range(size))).status_code == status
    assert len(parts.artifacts(run)) == (size if status == 201 else 0)


def test_batches_that_are_sent_at_once_make_each_row_once(parts: Parts) -> None:
    """The same batch ten times at once: every key has one row, made by one of them."""
    run = new_run()
    entries = [entry(run, str(number)) for number in range(50)]

    def store(_: int) -> list[tuple[str, bool]]:
        return created_of(send_until_taken(parts, entries))

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(store, range(10)))
    names = [str(number) for number in range(50)]
    assert [[name for name, _ in answer] for answer in answers] == [names] * 10
    assert sorted(name for answer in answers for name, created in answer if created) == sorted(names)
    assert sorted(parts.artifacts(run)) == sorted(names)


def test_batches_in_opposite_orders_do_not_hold_each_other_up(parts: Parts) -> None:
    """Two clients that replay the same artifacts from either end: in the end each has one row."""
    run = new_run()
    entries = [entry(run, str(number)) for number in range(500)]

    def store(given: list[dict[str, Any]]) -> int:
        return send_until_taken(parts, given).status_code

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(store, [entries, entries[::-1]]))
    assert set(statuses) <= {200, 201}
    assert len(parts.artifacts(run)) == 500
