"""What the checks work with: settings, and what the caller asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import trading.workflow
from trading.doctor.finding import NotExamined
from trading.workflow.errors import SettingsInvalid
from trading.workflow.settings import WorkflowSettings, read_settings

DEADLINE_S = 5.0
_SEE = "see the line 'settings'"


class AirflowSettings(BaseSettings):
    """Where Airflow's API is, and who asks it.

    Args:
        airflow_api_url: without the path `/api/v2`.
        airflow_api_user: may trigger DAGs and read their results.
        airflow_api_password: that user's.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    airflow_api_url: HttpUrl = Field(default=HttpUrl("http://127.0.0.1:8080"))
    airflow_api_user: str = "admin"
    airflow_api_password: SecretStr = SecretStr("")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks work with.

    Args:
        deadline_s: seconds for one check.
        settings_problem: why the workflow's settings cannot be used; empty when they can.
        given: the workflow's settings, when they can be used.
        airflow_problem: why the settings of Airflow's API cannot be used; empty when they can.
        given_airflow: the settings of Airflow's API, when they can be used.
        backend_log: the backend's log file, when one was named.
        code: the files and folders whose code is looked through.
    """

    deadline_s: float = DEADLINE_S
    settings_problem: str = ""
    given: WorkflowSettings | None = None
    airflow_problem: str = ""
    given_airflow: AirflowSettings | None = None
    backend_log: Path | None = None
    code: tuple[Path, ...] = ()

    @classmethod
    def read(
        cls, *, deadline_s: float = DEADLINE_S, backend_log: Path | None = None, code: tuple[Path, ...] = ()
    ) -> Self:
        """Read the settings from the environment; one that is wrong is a finding, and no error."""
        settings_problem = airflow_problem = ""
        given: WorkflowSettings | None = None
        airflow: AirflowSettings | None = None
        try:
            given = read_settings()
        except SettingsInvalid as invalid:
            settings_problem = str(invalid)
        try:
            airflow = AirflowSettings()
        except ValidationError as invalid:
            first = invalid.errors(include_input=False, include_url=False)[0]
            airflow_problem = f"{str(first['loc'][0]).upper()}: {first['msg']}"
        own = (Path(trading.workflow.__file__).parent,)
        return cls(deadline_s, settings_problem, given, airflow_problem, airflow, backend_log, code or own)

    @property
    def settings(self) -> WorkflowSettings:
        """The workflow's settings.

        Raises:
            NotExamined: they cannot be used.
        """
        if self.given is None:
            raise NotExamined("the settings cannot be used", _SEE)
        return self.given

    @property
    def airflow(self) -> AirflowSettings:
        """The settings of Airflow's API.

        Raises:
            NotExamined: they cannot be used.
        """
        if self.given_airflow is None:
            raise NotExamined("the settings of Airflow's API cannot be used", _SEE)
        return self.given_airflow

    def secrets(self) -> Iterator[str]:
        """Yield every secret of the settings; none of them may be shown."""
        if self.given_airflow is not None:
            yield self.given_airflow.airflow_api_password.get_secret_value()
        if self.given is not None:
            yield self.given.artifact_api_token.get_secret_value()
            yield self.given.llm_api_key.get_secret_value()
            yield from (url.get_secret_value() for url in self.given.notify_urls)
            yield from (host["password"] or "" for host in self.given.database_url.hosts())
