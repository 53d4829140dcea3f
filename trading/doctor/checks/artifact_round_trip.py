"""Whether an artifact can be written, read back, and removed."""

from __future__ import annotations

import contextlib
import uuid

import httpx

from trading.doctor.finding import Finding, failed, passed
from trading.doctor.surroundings import Surroundings
from trading.workflow.artifact_answer import read_sent, stored_id
from trading.workflow.artifact_storage import PATH
from trading.workflow.causes import cause_of, words_of
from trading.workflow.errors import ArtifactRejected, BackendUnavailable, ClientRefused
from trading.workflow.task_context import TaskContext

FIX = "look into the backend's log; the lines 'backend' and 'schema' may tell the cause"
_TOKEN_FIX = "set ARTIFACT_API_TOKEN to the backend's, and BACKEND_API_URL to the artifacts API"  # noqa: S105 - advice


async def examine(at: Surroundings) -> Finding:
    """Write a test artifact, read it back, and remove it again."""
    token = at.settings.artifact_api_token.get_secret_value()
    nonce = uuid.uuid4().hex
    context = TaskContext(f"doctor__{nonce}", "ibkr_trading_doctor", "artifact_round_trip")
    artifact = context.artifact("portfolio", "The doctor's test artifact", metadata={"nonce": nonce})
    key, body = artifact.idempotency_key, artifact.body()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    url = f"{str(at.settings.backend_api_url).rstrip('/')}{PATH}"
    try:
        async with httpx.AsyncClient(headers=headers, timeout=at.deadline_s, trust_env=False) as client:
            answer = await client.post(url, content=body, headers={"Idempotency-Key": key})
            number = stored_id(answer, read_sent(key, body), token=token)
            try:
                read = await client.get(f"{url}{number}")
            finally:
                removed = await client.delete(f"{url}{number}")
            # By its run, not by its number: an answer of 404 would stand in the backend's log as a failure.
            left = await client.get(url, params={"execution_id": context.execution_id})
    except httpx.HTTPError as error:
        return failed(f"{url}: {cause_of(error)}: {words_of(error)}", FIX)
    except ClientRefused as refused:
        return failed(str(refused), _TOKEN_FIX)
    except (ArtifactRejected, BackendUnavailable) as unstored:
        return failed(f"it was not stored: {unstored}", FIX)
    if _read(read, "metadata", "nonce") != nonce:
        return failed(f"artifact {number} was stored, and came back as {read.status_code}: {read.text[:200]}", FIX)
    if not removed.is_success or _read(left, "total") != 0:
        return failed(f"artifact {number} was stored, and cannot be removed: answer {removed.status_code}", FIX)
    return passed(f"artifact {number} was written, read back and removed")


def _read(answer: httpx.Response, *path: str) -> object:
    with contextlib.suppress(ValueError, LookupError, TypeError):
        value = answer.json()
        for name in path:
            value = value[name]
        return value
    return None
