"""The artifacts API: its routes, and that a repeat makes no second row."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.trading.parts import Parts, new_run
from tests.trading.process import running_backend

PATH = "/api/artifacts/"
# The fields of the contract, in its order.
FIELDS = [
    *("id", "name", "type", "symbol", "run_id", "experiment_id", "workflow_id", "execution_id", "step_name", "dag_id"),
    *("task_id", "prompt", "response", "prompt_length", "response_length", "model_name", "image_path", "chart_type"),
    *("chart_data", "action", "confidence", "signal_data", "metadata", "created_at", "updated_at"),
]
PNG = b"\x89PNG\r\n\x1a\n and so on"


def body_of(run: str, **changes: Any) -> dict[str, Any]:
    """An artifact's body."""
    return {"name": "one", "type": "chart", "execution_id": run, **changes}


@pytest.fixture(scope="module")
def with_charts(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A backend of our own, and its folder of charts."""
    charts = tmp_path_factory.mktemp("charts")
    log = tmp_path_factory.mktemp("log") / "backend.log"
    with running_backend(parts.database_url, log, {"CHART_DIR": str(charts)}) as url:
        yield url, charts


def test_backend_answers_with_the_whole_row(parts: Parts) -> None:
    """Every field of the contract comes back, in its order, as it was sent; what was not sent is null."""
    given = {
        **body_of(new_run(), type="signal", symbol="AAPL", action="BUY", confidence=0.25, prompt="why", response="äß€"),
        "signal_data": {"price": "187.310000000000000001", "list": [1, None, True], "name": "ü"},
        "metadata": [],
    }
    made = httpx.post(parts.backend_url + PATH, json=given)
    assert made.status_code == 201
    row = made.json()
    assert list(row) == FIELDS
    assert {name: row[name] for name in given} == given
    assert (row["prompt_length"], row["response_length"]) == (3, 3)
    assert {row[name] for name in FIELDS if name not in given} - {row["id"], 3, row["created_at"]} == {None}
    assert datetime.fromisoformat(row["created_at"]).tzinfo is not None
    assert httpx.get(f"{parts.backend_url}{PATH}{row['id']}").json() == row


def test_backend_answers_a_repeat_with_the_first_row(parts: Parts) -> None:
    """The same key again gives 200 and the row that the first one made, also when it says something else."""
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


def test_backend_lists_what_was_asked_for(parts: Parts) -> None:
    """Filters hold together, and `grouped` comes only when it is asked for."""
    run = new_run()
    for kind, symbol in (("chart", "AAPL"), ("chart", "MSFT"), ("signal", "AAPL")):
        httpx.post(parts.backend_url + PATH, json=body_of(run, type=kind, symbol=symbol))

    def asked(**query: str) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(parts.backend_url + PATH, params={"execution_id": run, **query}).json()
        return answer

    assert set(asked()) == {"artifacts", "total", "next_cursor"}
    assert [row["symbol"] for row in asked(type="chart")["artifacts"]] == ["MSFT", "AAPL"]
    assert asked(type="chart", symbol="AAPL")["total"] == 1
    assert asked(symbol="TSLA", group_by="execution_id") == {
        "artifacts": [],
        "total": 0,
        "grouped": {},
        "group_count": 0,
        "next_cursor": None,
    }


@pytest.mark.parametrize("query", ["type=poem", "limit=0", "limit=1001", "cursor=0", "group_by=symbol", "symbol=%00"])
def test_backend_refuses_a_listing_of_nothing_that_exists(parts: Parts, query: str) -> None:
    """A wrong parameter is the client's fault, and is said to be."""
    assert httpx.get(f"{parts.backend_url}{PATH}?{query}").status_code == 422


def test_backend_counts_by_type_and_symbol(parts: Parts) -> None:
    """The summary counts one artifact more after one artifact more."""
    before = httpx.get(f"{parts.backend_url}{PATH}stats/summary").json()
    httpx.post(parts.backend_url + PATH, json=body_of(new_run(), type="trade", symbol="COUNTED"))
    after = httpx.get(f"{parts.backend_url}{PATH}stats/summary").json()
    assert set(after) == {"total", "by_type", "by_symbol", "executions"}
    assert (after["total"], after["executions"]) == (before["total"] + 1, before["executions"] + 1)
    assert after["by_type"]["trade"] == before["by_type"].get("trade", 0) + 1
    assert after["by_symbol"]["COUNTED"] == 1


def test_backend_serves_charts(with_charts: tuple[str, Path]) -> None:
    """A chart comes as an image, and as a file with a name; an artifact without one as its row."""
    url, charts = with_charts
    (charts / "a chart.png").write_bytes(PNG)
    made = httpx.post(url + PATH, json=body_of(new_run(), image_path="a chart.png")).json()
    image, download = (httpx.get(f"{url}{PATH}{made['id']}/{kind}") for kind in ("image", "download"))
    assert image.content == download.content == PNG
    assert image.headers["content-type"] == download.headers["content-type"] == "image/png"
    assert download.headers["content-disposition"] == f'attachment; filename="artifact-{made["id"]}.png"'
    plain = httpx.post(url + PATH, json=body_of(new_run())).json()
    assert httpx.get(f"{url}{PATH}{plain['id']}/image").status_code == 404
    assert httpx.get(f"{url}{PATH}{plain['id']}/download").json() == plain


@pytest.mark.parametrize("way", ["", "/image", "/download"])
def test_backend_knows_no_artifact_that_is_not_there(parts: Parts, way: str) -> None:
    """What is not there is 404; what cannot be an id is 422."""
    assert httpx.get(f"{parts.backend_url}{PATH}{2**62}{way}").status_code == 404
    assert httpx.get(f"{parts.backend_url}{PATH}{2**63}{way}").status_code == 422


def test_backend_serves_no_file_outside_its_folder(parts: Parts) -> None:
    """An image path that leads out of the folder of charts is not followed."""
    made = httpx.post(parts.backend_url + PATH, json=body_of(new_run(), image_path="../../etc/passwd")).json()
    assert httpx.get(f"{parts.backend_url}{PATH}{made['id']}/image").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ('"type": "poem"', ["type"]),
        ('"name": ""', ["name"]),
        ('"confidence": 2', ["confidence"]),
        ('"confidence": NaN', ["confidence"]),
        ('"surprise": 1', ["surprise"]),
        ('"idempotency_key": "k"', ["idempotency_key"]),
        ('"name": "\\u0000"', ["name"]),
        ('"prompt": "\\u0000"', ["prompt"]),
        ('"metadata": {"a": [0, "\\u0000"]}', ["metadata", "a", 1]),
        ('"metadata": {"\\u0000": 0}', ["metadata"]),
        ('"signal_data": {"price": NaN}', ["signal_data", "price"]),
        ('"signal_data": {"price": 1e999}', ["signal_data", "price"]),
        ('"chart_data": "\\ud800"', []),
    ],
)
def test_backend_names_the_field_that_is_wrong(parts: Parts, wrong: str, field: list[str | int]) -> None:
    """A wrong body is the client's fault; the answer says where, and nothing is stored."""
    run, other = new_run(), new_run()
    made = httpx.post(parts.backend_url + PATH, json=body_of(other)).json()
    body = f'{{"name": "two", "type": "chart", "execution_id": "{run}", {wrong}}}'
    for method, url in (("POST", PATH), ("PATCH", f"{PATH}{made['id']}")):
        answer = httpx.request(method, parts.backend_url + url, content=body)
        assert answer.status_code == 422
        assert [error["loc"] for error in answer.json()["detail"]] == [["body", *field]]
    assert (parts.artifacts(run), parts.artifacts(other)) == ([], ["one"])


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_backend_refuses_a_key_that_is_none(parts: Parts, key: str) -> None:
    """A key that cannot be kept is refused, and nothing is stored without one."""
    run = new_run()
    answer = httpx.post(parts.backend_url + PATH, json=body_of(run), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert parts.artifacts(run) == []


def test_backend_refuses_a_body_that_is_too_large(parts: Parts) -> None:
    """It reads up to its limit and no further."""
    body = body_of(new_run(), metadata="x" * 8 * 1024 * 1024)
    assert httpx.post(parts.backend_url + PATH, json=body).status_code == 413


def test_backend_tells_the_schema_of_its_bodies(parts: Parts) -> None:
    """The description of the API shows what each body is, without a reference that leads nowhere."""
    paths = httpx.get(f"{parts.backend_url}/openapi.json").json()["paths"]
    schema = paths["/api/artifacts/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["artifacts"]["items"]["properties"]["artifact"]["required"] == ["name", "type"]


def test_backend_logs_each_request_and_why_it_failed(parts: Parts, tmp_path: Path) -> None:
    """One line a request, with method, path, status and time, and the cause of a failure."""
    log = tmp_path / "log"
    with running_backend(parts.database_url, log) as url:
        httpx.post(url + PATH, json=body_of(new_run()))
        httpx.post(url + PATH, json=body_of(new_run(), type="poem"))
        httpx.get(f"{url}{PATH}{2**62}")
    lines = [line for line in log.read_text().splitlines() if "artifact_request" in line]
    assert [line.split("artifact_request ")[1].split(" elapsed_ms=")[0] for line in lines] == [
        "method=POST path=/api/artifacts/ status=201",
        "method=POST path=/api/artifacts/ status=422",
        f"method=GET path=/api/artifacts/{2**62} status=404",
    ]
    assert "WARNING" in lines[1]
    assert "cause=" in lines[1]
    assert "body.type: Input should be" in lines[1]


def test_backend_wants_its_token(parts: Parts, tmp_path: Path) -> None:
    """With a token set, nothing is stored or shown without it; health needs none."""
    with running_backend(parts.database_url, tmp_path / "log", {"ARTIFACT_API_TOKEN": "s3cret"}) as url:
        assert httpx.get(url + PATH).status_code == 401
        assert httpx.get(url + PATH, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(url + PATH, headers={"Authorization": "Bearer s3cret"}).status_code == 200
