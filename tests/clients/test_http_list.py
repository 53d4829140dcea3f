"""Lists of rows over HTTP, described by paths and names."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from harness.clients.http import Unexpected
from harness.clients.http_list import look_up, read_artifacts, read_list
from harness.errors import HarnessError
from harness.history.reads import ArtifactRow
from harness.stack.http_list import HttpArtifacts, HttpList
from tests.clients.answering import Asked, Said, answering

pytestmark = pytest.mark.anyio
ROWS = [{"at": {"run": "r1"}, "kind": "chart", "title": f"chart {number}"} for number in range(5)]


def paged(asked: Asked) -> Said:
    """Two rows a page, by cursor or by offset."""
    query = parse_qs(urlsplit(asked.path).query)
    start = int(query.get("cursor", query.get("offset", ["0"]))[0])
    end = start + 2
    return Said(200, {"data": {"items": ROWS[start:end]}, "next": str(end) if end < len(ROWS) else None})


@pytest.mark.parametrize(
    "paging",
    [{"cursor": {"path": "next", "parameter": "cursor"}}, {"offset": {"parameter": "offset"}}],
)
async def test_list_is_read_to_its_last_page(paging: dict[str, object]) -> None:
    """Every page is asked for, whichever way."""
    with answering(paged) as address:
        listed = HttpList.model_validate({"url": "", "rows": "data.items", **paging})
        assert await read_list(listed, f"{address}/rows?kind=chart") == tuple(ROWS)


async def test_list_without_pages_is_the_body() -> None:
    """A body that is the list itself needs no path; headers are sent along."""

    def answer(asked: Asked) -> Said:
        return Said(200, [asked.headers["X-Key"]])

    with answering(answer) as address:
        assert await read_list(HttpList(url="", headers={"X-Key": "k"}), address) == ("k",)


async def test_artifacts_are_read_by_the_names_that_the_file_gives() -> None:
    """Each field of an artifact is found where the file says; one that no row has is None."""
    seen: list[str] = []

    def answer(asked: Asked) -> Said:
        seen.append(asked.path)
        return Said(200, ROWS[:1])

    fields = {"execution_id": "at.run", "type": "kind", "name": "title", "symbol": "at.symbol"}
    listed = HttpArtifacts.model_validate({"url": "", "fields": fields})
    with answering(answer) as address:
        rows = await read_artifacts(listed, address + "/runs/{run}/artifacts", ("r1", "r2"))
    assert rows == (ArtifactRow("r1", None, "chart", None, "chart 0"),) * 2
    assert seen == ["/runs/r1/artifacts", "/runs/r2/artifacts"]


async def test_secret_in_an_artifact_is_named_though_its_contents_are_digested() -> None:
    """Of contents a digest is kept; that a secret stands in them is noted by its name before."""
    row = {"at": {"run": "r1"}, "kind": "chart", "title": "chart 0", "data": {"key": "a-long-token"}}
    fields = {"execution_id": "at.run", "type": "kind", "name": "title", "contents": ["data"]}
    listed = HttpArtifacts.model_validate({"url": "", "fields": fields})
    with answering(lambda _: Said(200, [row])) as address:
        (artifact,) = await read_artifacts(listed, address, ("r1",), secrets={"API_TOKEN": "a-long-token"})
    assert artifact.secrets == ("API_TOKEN",)
    assert "a-long-token" not in str(artifact)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Said(200, {"items": []}), "a list expected at 'data.items', got NoneType"),
        (Said(200, "<html>"), "JSON expected, got something else"),
        (Said(503, {}), "expected 2xx, got 503"),
    ],
)
async def test_list_of_another_form_is_told(said: Said, told: str) -> None:
    """An answer that is not as described names the address and what came."""
    with answering(lambda _: said) as address, pytest.raises(Unexpected, match=told):
        await read_list(HttpList(url="", rows="data.items"), address)


async def test_list_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that always points on is taken for a wrong description, not followed for ever."""
    monkeypatch.setattr("harness.clients.http_list.MOST_PAGES", 3)
    listed = HttpList.model_validate({"url": "", "rows": "rows", "cursor": {"path": "next", "parameter": "c"}})
    endless = answering(lambda _: Said(200, {"rows": [1], "next": 1}))
    with endless as address, pytest.raises(HarnessError, match="still gives pages after 3"):
        await read_list(listed, address)


@pytest.mark.parametrize(("path", "found"), [("", {"a": {"b": 1}}), ("a.b", 1), ("a.c", None), ("a.b.c", None)])
def test_look_up_follows_a_dotted_path(path: str, found: object) -> None:
    """What stands at the path, or nothing."""
    assert look_up({"a": {"b": 1}}, path) == found
