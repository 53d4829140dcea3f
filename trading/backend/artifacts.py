"""The routes under /api/artifacts/ that read and write rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response, status
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from trading.backend import artifact_store
from trading.backend.access import require_token
from trading.backend.artifact_store import Found, Keyed, Page, Stored, Wanted
from trading.backend.bodies import BATCH_SIZE_MAX_BYTES, body_of, documented, refused
from trading.backend.database import Database
from trading.backend.errors import ValueRefused
from trading.backend.models import (
    KEY_MAX_LENGTH,
    ArtifactBatch,
    ArtifactIn,
    ArtifactList,
    ArtifactOut,
    ArtifactPatch,
    ArtifactStats,
    ArtifactType,
    StoredBatch,
    WriteProbe,
)
from trading.backend.pool import Connection

ArtifactId = Annotated[int, Path(ge=1, lt=2**63)]

router = APIRouter(prefix="/api/artifacts", dependencies=[Depends(require_token)])

_PROBE = ArtifactIn(name="write probe", type="signal")


@router.post("/", status_code=201, response_model=ArtifactOut, openapi_extra=documented(ArtifactIn))
async def create(request: Request) -> Response:
    """Store an artifact; a repeat of the same Idempotency-Key is answered with the first row, and 200."""
    artifact = await body_of(request, ArtifactIn)
    (stored,) = await _store(request, [(_key_of(request), artifact)], body=artifact)
    return as_json(stored.row, _status_of([stored]))


@router.post("/batch", status_code=201, response_model=StoredBatch, openapi_extra=documented(ArtifactBatch))
async def create_batch(request: Request) -> Response:
    """Store artifacts, all or none of them; 200 when every key was known, and each answered with its first row."""
    batch = await body_of(request, ArtifactBatch, size_max_bytes=BATCH_SIZE_MAX_BYTES)
    keyed = [(entry.idempotency_key, entry.artifact) for entry in batch.artifacts]
    stored = await _store(request, keyed, body=batch)
    entries = (f'{{"created":{"true" if each.created else "false"},"artifact":{each.row}}}' for each in stored)
    return as_json(f'{{"artifacts":[{",".join(entries)}]}}', _status_of(stored))


@router.post("/probe")
async def probe(request: Request) -> WriteProbe:
    """Insert a row and take it back: 200 when artifacts can be stored now, else 503."""
    started_s = time.monotonic()

    async def work(connection: Connection) -> None:
        await artifact_store.try_to_store(connection, _PROBE)

    await database_of(request).writes.run(work, what="try to store an artifact")
    return WriteProbe(writable=True, elapsed_ms=round((time.monotonic() - started_s) * 1000, 2))


@router.get("/", response_model=ArtifactList)
async def listing(
    request: Request,
    type: ArtifactType | None = None,  # noqa: A002 - the parameter's name is the API's
    symbol: str | None = None,
    execution_id: str | None = None,
    group_by: Literal["execution_id"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    """List artifacts, newest first; `total` counts every page, `cursor` takes what `next_cursor` said."""
    wanted = Wanted(type, symbol, execution_id, limit=limit, cursor=cursor, grouped=group_by is not None)

    async def work(connection: Connection) -> Page:
        return await artifact_store.listing(connection, wanted)

    page = await database_of(request).views.run(work, what="list artifacts")
    return as_json(page.as_json(wanted))


@router.get("/stats/summary", response_model=ArtifactStats)
async def summary(request: Request) -> Response:
    """Count artifacts, in all and by kind."""
    return as_json(await database_of(request).views.run(artifact_store.stats, what="count artifacts"))


@router.get("/{artifact_id}", response_model=ArtifactOut)
async def read(request: Request, artifact_id: ArtifactId) -> Response:
    """Read one artifact."""
    return as_json((await found(request, artifact_id)).row)


@router.patch("/{artifact_id}", response_model=ArtifactOut, openapi_extra=documented(ArtifactPatch))
async def change(request: Request, artifact_id: ArtifactId) -> Response:
    """Change the fields that the body names."""
    patch = await body_of(request, ArtifactPatch)

    async def work(connection: Connection) -> str | None:
        return await artifact_store.change(connection, artifact_id, patch)

    try:
        row = await database_of(request).writes.run(work, what="change an artifact")
    except ValueRefused as error:
        raise refused(patch, error) from error
    if row is None:
        raise _missing(artifact_id)
    return as_json(row)


@router.delete("/{artifact_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove(request: Request, artifact_id: ArtifactId) -> None:
    """Delete one artifact."""

    async def work(connection: Connection) -> bool:
        return await artifact_store.remove(connection, artifact_id)

    if not await database_of(request).writes.run(work, what="delete an artifact"):
        raise _missing(artifact_id)


def database_of(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


async def found(request: Request, artifact_id: int) -> Found:
    """Find an artifact.

    Raises:
        HTTPException: 404, there is none.
    """

    async def work(connection: Connection) -> Found | None:
        return await artifact_store.read(connection, artifact_id)

    artifact = await database_of(request).views.run(work, what="read an artifact")
    if artifact is None:
        raise _missing(artifact_id)
    return artifact


def as_json(text: str, status_code: int = status.HTTP_200_OK) -> Response:
    """An answer that is JSON already."""
    return Response(text, status_code, media_type="application/json")


async def _store(request: Request, artifacts: Sequence[Keyed], *, body: BaseModel) -> list[Stored]:
    async def work(connection: Connection) -> list[Stored]:
        return await artifact_store.store(connection, artifacts)

    try:
        return await database_of(request).writes.run(work, what="store artifacts")
    except ValueRefused as error:
        raise refused(body, error) from error


def _status_of(stored: Sequence[Stored]) -> int:
    return status.HTTP_201_CREATED if any(each.created for each in stored) else status.HTTP_200_OK


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or 1 <= len(key) <= KEY_MAX_LENGTH:
        return key
    wrong = {"loc": ("header", "Idempotency-Key"), "type": "length", "msg": f"1 to {KEY_MAX_LENGTH} characters"}
    raise RequestValidationError([wrong])


def _missing(artifact_id: int) -> HTTPException:
    return HTTPException(status.HTTP_404_NOT_FOUND, f"there is no artifact {artifact_id}")
