"""Rows that an HTTP API lists, read as the stack's file describes it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx

from harness.clients.contents import digests
from harness.clients.http import Unexpected, ask, open_client
from harness.errors import HarnessError
from harness.history.reads import ArtifactRow
from harness.stack.http_list import HttpArtifacts, HttpList
from harness.stack.secrets import NO_SECRETS, found_in

# A list that goes on for longer is taken for one whose paging never ends.
MOST_PAGES = 10_000
_RUN = "{run}"
_SHOWN = 2000


async def read_list(listed: HttpList, url: str, run: str = "") -> tuple[object, ...]:
    """Every row of a list, all its pages.

    Args:
        listed: how the API lists.
        url: its address, with real addresses in the place of names.
        run: what stands for ``{run}``.

    Raises:
        Unexpected: an answer has another form than described.
    """
    async with open_client(url) as client:
        return tuple([row async for row in _rows(client, listed, httpx.URL(url.replace(_RUN, run)))])


async def read_artifacts(
    listed: HttpArtifacts,
    url: str,
    runs: tuple[str, ...],
    *,
    varies: Sequence[str] = (),
    secrets: Mapping[str, str] = NO_SECRETS,
) -> tuple[ArtifactRow, ...]:
    """Every artifact that an API lists: asked once, or once for each run where the address has a place for it.

    Args:
        listed: how the API lists.
        url: its address, with real addresses in the place of names.
        runs: what stands for ``{run}``, one after the other.
        varies: what of the contents differs from run to run.
        secrets: what gives each secret away, by its name.
    """
    rows: list[object] = []
    for run in runs if _RUN in url else ("",):
        rows += await read_list(listed, url, run)
    fields = listed.fields_in_rows

    def text(row: object, path: str | None) -> str | None:
        found = None if path is None else look_up(row, path)
        return None if found is None else str(found)

    return tuple(
        ArtifactRow(
            execution_id=text(row, fields.execution_id),
            task_id=text(row, fields.task_id),
            type=text(row, fields.type) or "",
            symbol=text(row, fields.symbol),
            name=text(row, fields.name) or "",
            contents=digests(
                {path: look_up(row, path) for path in fields.contents}, varies, text(row, fields.execution_id)
            ),
            secrets=found_in(json.dumps(row, ensure_ascii=False), secrets),
        )
        for row in rows
    )


def look_up(value: object, path: str) -> object:
    """What stands at a dotted path of a JSON value; None when nothing does. An empty path is the value itself."""
    for key in path.split(".") if path else ():
        value = value.get(key) if isinstance(value, dict) else None
    return value


async def _rows(client: httpx.AsyncClient, listed: HttpList, url: httpx.URL) -> AsyncIterator[object]:
    page_url, count = url, 0
    if listed.offset is not None:
        page_url = url.copy_set_param(listed.offset.parameter, 0)
    for _ in range(MOST_PAGES):
        body = await _page(client, listed, page_url)
        rows = look_up(body, listed.rows)
        if not isinstance(rows, list):
            where = repr(listed.rows) if listed.rows else "the body"
            raise Unexpected(
                f"GET {page_url}: a list expected at {where}, got {type(rows).__name__}",
                status=200,
                evidence=json.dumps(body)[:_SHOWN],
            )
        for row in rows:
            yield row
        count += len(rows)
        if listed.cursor is not None and (cursor := look_up(body, listed.cursor.path)):
            page_url = url.copy_set_param(listed.cursor.parameter, str(cursor))
        elif listed.offset is not None and rows:
            page_url = url.copy_set_param(listed.offset.parameter, count)
        else:
            return
    raise HarnessError(f"GET {url}: it still gives pages after {MOST_PAGES}; is the paging described as it is?")


async def _page(client: httpx.AsyncClient, listed: HttpList, url: httpx.URL) -> object:
    response = await ask(client, "GET", str(url), headers=dict(listed.headers))
    try:
        return response.json()
    except ValueError as cause:
        raise Unexpected(
            f"GET {url}: JSON expected, got something else",
            status=response.status_code,
            evidence=response.text[:_SHOWN],
        ) from cause
