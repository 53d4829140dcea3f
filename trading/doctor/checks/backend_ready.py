"""Whether the backend can be reached, and can do its work."""

from __future__ import annotations

import httpx

from trading.doctor.finding import Finding, failed, passed
from trading.doctor.surroundings import Surroundings
from trading.workflow.causes import cause_of, words_of

FIX = "start the backend, or set BACKEND_API_URL to an address that can be reached from this machine"
_READY = frozenset({"ready", "ok", "healthy"})


async def examine(at: Surroundings) -> Finding:
    """Ask it whether it is ready."""
    url = f"{str(at.settings.backend_api_url).rstrip('/')}/health/ready"
    try:
        async with httpx.AsyncClient(timeout=at.deadline_s, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return failed(f"{url} cannot be reached ({cause_of(error)}: {words_of(error)})", FIX)
    said = f"{url} answers {answer.status_code}: {' '.join(answer.text.split())[:300]}"
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return failed(said, "mend what the answer names; the backend recovers by itself when it is back")
    # A page with 200 is no backend, and a 200 that says "unhealthy" is no readiness.
    if not answer.is_success or _status(answer) not in _READY:
        return failed(said, "BACKEND_API_URL must name the artifacts API, without a path")
    return passed(f"{url} answers {answer.status_code}")


def _status(answer: httpx.Response) -> object:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said.get("status") if isinstance(said, dict) else None
