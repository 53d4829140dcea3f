"""The routes under /api/artifacts/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response, status
from fastapi.responses import FileResponse, JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from trading.backend import artifact_store
from trading.backend.access import require_token
from trading.backend.artifact_store import Page, Stored, Wanted
from trading.backend.database import Database
from trading.backend.models import ArtifactIn, ArtifactList, ArtifactOut, ArtifactPatch, ArtifactStats, ArtifactType

router = APIRouter(prefix="/api/artifacts", dependencies=[Depends(require_token)])

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


def database_of(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


DatabaseOfApp = Annotated[Database, Depends(database_of)]


@router.post("/", status_code=status.HTTP_201_CREATED)
async def create(
    body: ArtifactIn, response: Response, database: DatabaseOfApp, key: IdempotencyKey = None
) -> ArtifactOut:
    """Store an artifact; a repeat of the same Idempotency-Key is answered with the first row, and 200."""

    async def work(connection: AsyncConnection) -> Stored:
        return await artifact_store.store(connection, body, key)

    stored = await database.run(work, what="store an artifact")
    if not stored.created:
        response.status_code = status.HTTP_200_OK
    return stored.artifact


@router.get("/", response_model_exclude_none=False)
async def listing(
    database: DatabaseOfApp,
    type: ArtifactType | None = None,  # noqa: A002 - the parameter's name is the API's
    symbol: str | None = None,
    execution_id: str | None = None,
    group_by: Literal["execution_id"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=1)] = None,
) -> JSONResponse:
    """List artifacts, newest first; `total` counts every page."""
    wanted = Wanted(type=type, symbol=symbol, execution_id=execution_id)

    async def work(connection: AsyncConnection) -> Page:
        return await artifact_store.listing(connection, wanted, limit=limit, cursor=cursor)

    page = await database.run(work, what="list artifacts")
    answer = ArtifactList(
        artifacts=page.artifacts,
        total=page.total,
        next_cursor=page.artifacts[-1].id if len(page.artifacts) == limit else None,
    )
    leave_out = {"grouped", "group_count"}
    if group_by is not None:
        grouped: dict[str, list[ArtifactOut]] = {}
        for artifact in page.artifacts:
            grouped.setdefault(artifact.execution_id or "", []).append(artifact)
        answer = answer.model_copy(update={"grouped": grouped, "group_count": page.executions})
        leave_out = set()
    return JSONResponse(answer.model_dump(mode="json", exclude=leave_out))


@router.get("/stats/summary")
async def summary(database: DatabaseOfApp) -> ArtifactStats:
    """Count artifacts, in all and by kind."""
    return await database.run(artifact_store.stats, what="count artifacts")


async def _found(database: Database, artifact_id: int) -> ArtifactOut:
    async def work(connection: AsyncConnection) -> ArtifactOut | None:
        return await artifact_store.read(connection, artifact_id)

    artifact = await database.run(work, what="read an artifact")
    if artifact is None:
        raise _missing(artifact_id)
    return artifact


def _missing(artifact_id: int) -> HTTPException:
    return HTTPException(status.HTTP_404_NOT_FOUND, f"there is no artifact {artifact_id}")


@router.get("/{artifact_id}")
async def read(artifact_id: int, database: DatabaseOfApp) -> ArtifactOut:
    """Read one artifact."""
    return await _found(database, artifact_id)


@router.patch("/{artifact_id}")
async def change(artifact_id: int, body: ArtifactPatch, database: DatabaseOfApp) -> ArtifactOut:
    """Change the fields that the body names."""

    async def work(connection: AsyncConnection) -> ArtifactOut | None:
        return await artifact_store.change(connection, artifact_id, body)

    artifact = await database.run(work, what="change an artifact")
    if artifact is None:
        raise _missing(artifact_id)
    return artifact


@router.delete("/{artifact_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove(artifact_id: int, database: DatabaseOfApp) -> None:
    """Delete one artifact."""

    async def work(connection: AsyncConnection) -> bool:
        return await artifact_store.remove(connection, artifact_id)

    if not await database.run(work, what="delete an artifact"):
        raise _missing(artifact_id)


def _image_of(request: Request, artifact: ArtifactOut) -> Path:
    chart_dir: Path = request.app.state.settings.chart_dir.resolve()
    if artifact.image_path is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"artifact {artifact.id} has no image")
    image = (chart_dir / artifact.image_path).resolve()
    if not image.is_relative_to(chart_dir) or not image.is_file():
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"the image of artifact {artifact.id} is not in the folder of charts"
        )
    return image


@router.get("/{artifact_id}/image")
async def image(artifact_id: int, request: Request, database: DatabaseOfApp) -> FileResponse:
    """Serve the chart of an artifact."""
    return FileResponse(_image_of(request, await _found(database, artifact_id)), media_type="image/png")


@router.get("/{artifact_id}/download")
async def download(artifact_id: int, request: Request, database: DatabaseOfApp) -> Response:
    """Serve an artifact as a file: its chart when it has one, else its row as JSON."""
    artifact = await _found(database, artifact_id)
    if artifact.image_path is not None:
        return FileResponse(_image_of(request, artifact), filename=f"artifact-{artifact.id}.png")
    return JSONResponse(
        artifact.model_dump(mode="json"),
        headers={"Content-Disposition": f'attachment; filename="artifact-{artifact.id}.json"'},
    )
