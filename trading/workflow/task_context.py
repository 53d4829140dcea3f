"""Which task of which run is at work."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from trading.workflow.artifact import Artifact, ArtifactType, encode
from trading.workflow.errors import ArtifactInvalid


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Which task of which run is at work.

    Args:
        execution_id: the run; Airflow's run_id.
        dag_id: the workflow.
        task_id: the task.
        try_number: counted from 1.
        dry_run: whether the run does everything but send orders.
    """

    execution_id: str
    dag_id: str
    task_id: str
    try_number: int = 1
    dry_run: bool = False

    def artifact(
        self,
        type: ArtifactType,  # noqa: A002 - the field's name is the API's
        name: str,
        *,
        symbol: str | None = None,
        chart_data: object = None,
        signal_data: object = None,
        metadata: object = None,
        **fields: JsonValue,
    ) -> Artifact:
        """Make an artifact of this task.

        Args:
            type: what it is.
            name: unique within the task, type and symbol.
            symbol: None for what concerns the whole run.
            chart_data: encoded.
            signal_data: encoded.
            metadata: encoded.
            fields: further fields of the artifacts API.

        Raises:
            ArtifactInvalid: names what is missing or cannot be stored.
        """
        payload = {
            "chart_data": encode(chart_data, field="chart_data"),
            "signal_data": encode(signal_data, field="signal_data"),
            "metadata": encode(metadata, field="metadata"),
            **fields,
        }
        own: dict[str, JsonValue] = {
            "execution_id": self.execution_id,
            "run_id": self.execution_id,
            "dag_id": self.dag_id,
            "workflow_id": self.dag_id,
            "task_id": self.task_id,
            "step_name": self.task_id,
            "type": type,
            "name": name,
            "symbol": symbol,
        }
        try:
            return Artifact.model_validate(own | payload)
        except ValidationError as invalid:
            first = invalid.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or name
            raise ArtifactInvalid(f"artifact {name!r}: {where}: {first['msg']}") from invalid
