"""As much of Airflow's REST API as the doctor needs.

Source: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html (version 2 of the API).
"""

from __future__ import annotations

from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from trading.doctor.surroundings import AirflowSettings
from trading.workflow.causes import cause_of, words_of

UNREACHABLE_FIX = "start Airflow's api-server, or set AIRFLOW_API_URL to where it is"
_WRONG_SERVER_FIX = "AIRFLOW_API_URL must name an Airflow 3; if it does, look into the api-server's log"
_CALL_S = 4.0


class AirflowProblem(Exception):
    """Airflow's API did not do what was asked.

    Args:
        words: what happened.
        fix: what to do about it.
        status: of its answer; None without one.
    """

    def __init__(self, words: str, fix: str, status: int | None = None) -> None:
        super().__init__(words)
        self.fix = fix
        self.status = status


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Part(_Answer):
    """One of Airflow's processes; the status of one that was never started is None."""

    status: str | None = None


class Health(_Answer):
    """Which of Airflow's parts are alive."""

    metadatabase: Part
    scheduler: Part
    dag_processor: Part


class ImportFailure(_Answer):
    """A DAG file that could not be imported."""

    filename: str
    stack_trace: str


class _ImportFailures(_Answer):
    import_errors: list[ImportFailure]


class Dag(_Answer):
    """A DAG that was parsed."""

    is_paused: bool


class _Token(_Answer):
    access_token: str


class _Run(_Answer):
    state: str


class _Xcom(_Answer):
    value: JsonValue


M = TypeVar("M", bound=_Answer)


class AirflowApi:
    """A client of Airflow's API; use it as an asynchronous context manager.

    Args:
        settings: where the API is, and who asks it.
    """

    def __init__(self, settings: AirflowSettings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            base_url=str(settings.airflow_api_url).rstrip("/"), timeout=_CALL_S, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def log_in(self) -> None:
        """Get a token for all later calls.

        Raises:
            AirflowProblem: no api-server, or it does not know the user.
        """
        user, password = self._settings.airflow_api_user, self._settings.airflow_api_password.get_secret_value()
        token = await self._ask(_Token, "POST", "/auth/token", {"username": user, "password": password})
        self._client.headers["Authorization"] = f"Bearer {token.access_token}"

    async def health(self) -> Health:
        """Which parts are alive; needs no token."""
        return await self._ask(Health, "GET", "/api/v2/monitor/health")

    async def import_failures(self) -> list[ImportFailure]:
        """The DAG files that could not be imported."""
        return (await self._ask(_ImportFailures, "GET", "/api/v2/importErrors")).import_errors

    async def dag(self, dag_id: str) -> Dag | None:
        """A DAG; None when Airflow does not know it."""
        try:
            return await self._ask(Dag, "GET", _path(dag_id))
        except AirflowProblem as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def trigger(self, dag_id: str, run_id: str) -> None:
        """Start a run."""
        await self._call("POST", f"{_path(dag_id)}/dagRuns", {"logical_date": None, "dag_run_id": run_id, "conf": {}})

    async def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return (await self._ask(_Run, "GET", _path(dag_id, run_id))).state

    async def returned(self, dag_id: str, run_id: str, task_id: str) -> JsonValue:
        """What a task returned."""
        path = f"{_path(dag_id, run_id)}/taskInstances/{quote(task_id, safe='')}/xcomEntries/return_value"
        return (await self._ask(_Xcom, "GET", path)).value

    async def forget(self, dag_id: str, run_id: str) -> None:
        """Delete a run."""
        await self._call("DELETE", _path(dag_id, run_id))

    async def _ask(self, model: type[M], method: str, path: str, body: dict[str, JsonValue] | None = None) -> M:
        answer = await self._call(method, path, body)
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as invalid:
            words = f"{method} {path} was answered with something else: {' '.join(answer.text.split())[:200]}"
            raise AirflowProblem(words, _WRONG_SERVER_FIX) from invalid

    async def _call(self, method: str, path: str, body: dict[str, JsonValue] | None = None) -> httpx.Response:
        where = f"{self._client.base_url}".rstrip("/")
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            words = f"Airflow's API at {where} cannot be reached ({cause_of(error)}: {words_of(error)})"
            raise AirflowProblem(words, UNREACHABLE_FIX) from error
        if answer.is_success:
            return answer
        words = f"{method} {path} was answered with {answer.status_code}: {' '.join(answer.text.split())[:200]}"
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            fix = "set AIRFLOW_API_USER and AIRFLOW_API_PASSWORD to a user who may trigger DAGs and read their results"
        else:
            fix = _WRONG_SERVER_FIX
        raise AirflowProblem(words, fix, answer.status_code)


def _path(dag_id: str, run_id: str = "") -> str:
    path = f"/api/v2/dags/{quote(dag_id, safe='')}"
    return f"{path}/dagRuns/{quote(run_id, safe='')}" if run_id else path
