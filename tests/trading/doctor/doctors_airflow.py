"""A real Airflow with the workflow's own DAGs, whose workers have settings of their own."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from tests.airflow.parts import Parts

_ROOT = Path(__file__).parents[3]


@dataclass
class DoctorsAirflow(Parts):
    """Starts parts of Airflow; each part has the settings that are there when it is started."""

    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the workflow's DAGs into its folder."""
        super().__post_init__()
        for file in (_ROOT / "trading" / "dags").glob("*.py"):
            shutil.copy(file, self.folder / "dags")

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def restart(self, part: str, **settings: str) -> None:
        """End a part at once, and start it with settings changed."""
        self.end(part, signal.SIGKILL)
        self.settings = {**self.settings, **settings}
        self.start(part)

    def _environment(self) -> dict[str, str]:
        return (
            super()._environment()
            | self.settings
            | {
                "PYTHONPATH": str(_ROOT),
                "WORKFLOW_SCHEDULE": "manual",
                # A part that is gone is told after seconds, not after half a minute.
                "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "3",
                "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
                "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            }
        )
