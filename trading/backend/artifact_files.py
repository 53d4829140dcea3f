"""The routes under /api/artifacts/ that serve files."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status

from trading.backend.access import require_token
from trading.backend.artifact_store import Found
from trading.backend.artifacts import ArtifactId, as_json, found
from trading.backend.chart_folder import ChartFolder, ChartMissing

router = APIRouter(prefix="/api/artifacts", dependencies=[Depends(require_token)])


@router.get("/{artifact_id}/image", response_class=Response)
async def image(request: Request, artifact_id: ArtifactId) -> Response:
    """Serve the chart of an artifact."""
    return await _image_of(request, artifact_id, await found(request, artifact_id))


@router.get("/{artifact_id}/download", response_class=Response)
async def download(request: Request, artifact_id: ArtifactId) -> Response:
    """Serve an artifact as a file: its chart when it has one, else its row as JSON."""
    artifact = await found(request, artifact_id)
    has_image = artifact.image_path is not None
    file = await _image_of(request, artifact_id, artifact) if has_image else as_json(artifact.row)
    name = f"artifact-{artifact_id}.{'png' if has_image else 'json'}"
    file.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return file


async def _image_of(request: Request, artifact_id: int, artifact: Found) -> Response:
    if artifact.image_path is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"artifact {artifact_id} has no image")
    charts: ChartFolder = request.app.state.charts
    try:
        chart = await charts.read(artifact.image_path)
    except ChartMissing as missing:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"the image of artifact {artifact_id}: {missing}") from missing
    return Response(chart, media_type="image/png")
