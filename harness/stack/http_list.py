"""Rows that an HTTP API lists, described by paths and names, so that no client has to be written for it."""

from __future__ import annotations

from pydantic import Field, model_validator

from harness.validated import Strict


class CursorPaging(Strict):
    """Each page says where the next one begins.

    Args:
        path: the dotted path of that word in the body; nothing there, no further page.
        parameter: the query parameter that bears it.
    """

    path: str = Field(min_length=1)
    parameter: str = Field(min_length=1)


class OffsetPaging(Strict):
    """Pages are asked for by the number of rows before them, until one is empty; ``parameter`` bears that number."""

    parameter: str = Field(min_length=1)


class HttpList(Strict):
    """A list of rows as JSON.

    Args:
        url: names a service of the stack and its port; with ``{run}`` in it, it is asked once for each run.
        headers: sent with each request.
        rows: the dotted path of the list in the body; left out when the body is the list.
        cursor: how further pages are asked for, if there are any.
        offset: the same, by counting rows.
    """

    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    rows: str = ""
    cursor: CursorPaging | None = None
    offset: OffsetPaging | None = None

    @model_validator(mode="after")
    def _one_way_of_paging(self) -> HttpList:
        if self.cursor is not None and self.offset is not None:
            raise ValueError("pages are asked for by cursor or by offset, not both")
        return self


class ArtifactFields(Strict):
    """Where in a row each of an artifact's fields is found, as dotted paths; what a row does not tell is None.

    Args:
        contents: what of a row is the artifact's contents, which are held against those of the steady run.
    """

    execution_id: str
    type: str
    name: str
    task_id: str | None = None
    symbol: str | None = None
    contents: list[str] = Field(default_factory=list)


class HttpArtifacts(HttpList):
    """Artifacts that an HTTP API lists."""

    fields_in_rows: ArtifactFields = Field(alias="fields")
