"""The client of Airflow 2 against a stand-in that answers as its documentation says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from harness.clients.airflow import Airflow
from harness.clients.airflow_v1 import AirflowV1, as_json_lines
from harness.clients.http import Unexpected
from tests.clients.answering import answering
from tests.clients.stand_in_airflow import DAG, LOG, StandInAirflow

pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> StandInAirflow:
    """The stand-in."""
    return StandInAirflow()


@pytest.fixture
def address(server: StandInAirflow) -> Iterator[str]:
    """Where it is reached."""
    with answering(server) as address:
        yield address


def client(address: str, *, dag: str = DAG, password: str = "secret") -> AirflowV1:  # noqa: S107 - the stand-in's
    """The client of a DAG."""
    return AirflowV1(url=address, username="admin", password=password, dag=dag)


async def test_airflow_v1_lives_a_runs_life(address: str, server: StandInAirflow) -> None:
    """A run is triggered, seen, given up and forgotten."""
    async with client(address) as opened:
        airflow: Airflow = opened
        await airflow.trigger("run-1", {"symbols": ["AAPL"]})
        assert server.confs["run-1"] == {"symbols": ["AAPL"]}
        assert await airflow.run_state("run-1") == "queued"
        assert await airflow.unended_runs() == ["run-1"]
        await airflow.give_up("run-1")
        assert (await airflow.run_state("run-1"), await airflow.unended_runs()) == ("failed", [])
        await airflow.forget_runs()
        assert server.runs == {}


async def test_airflow_v1_knows_its_dag_and_unpauses_it(address: str, server: StandInAirflow) -> None:
    """A DAG that has been parsed is unpaused; another one is not known, and has no runs."""
    async with client(address) as airflow:
        assert await airflow.dag_is_known()
        assert not server.paused
    async with client(address, dag="nothing") as airflow:
        assert not await airflow.dag_is_known()
        assert await airflow.unended_runs() == []


async def test_every_task_of_a_large_run_is_read(address: str, server: StandInAirflow) -> None:
    """A page holds a hundred: what a task beyond that lost would be lost in silence."""
    server.mapped = 250
    async with client(address) as airflow:
        await airflow.trigger("run-1", {})
        tasks = await airflow.tasks("run-1")
    assert len(tasks) == 252


async def test_airflow_v1_reads_tasks_and_their_logs(address: str) -> None:
    """Tasks have state, attempt and times; a log comes as JSON lines, and is empty before the task began."""
    async with client(address) as airflow:
        await airflow.trigger("run-1", {})
        tasks = await airflow.tasks("run-1")
        assert [(task.task_id, task.state, task.try_number) for task in tasks] == [
            ("draw", "success", 1),
            ("store", None, 0),
        ]
        lines = (await airflow.task_log("run-1", "draw", 1)).splitlines()
        assert [json.loads(line)["event"] for line in lines] == LOG.splitlines()
        assert await airflow.task_log("run-1", "store", 1) == ""


async def test_airflow_v1_with_a_wrong_password_is_told(address: str) -> None:
    """What Airflow refuses is an error that says what was asked and what came."""
    async with client(address, password="wrong") as airflow:  # noqa: S106 - it is wrong
        with pytest.raises(Unexpected, match=r"PATCH http.*/api/v1/dags/trade.*: expected 2xx, got 401"):
            await airflow.dag_is_known()


@pytest.mark.parametrize(
    ("status", "sick"), [(None, []), ("healthy", []), ("unhealthy", ["dag-processor is unhealthy"])]
)
async def test_airflow_v1_without_a_dag_processor_of_its_own_is_whole(status: str | None, sick: list[str]) -> None:
    """Where the scheduler parses DAGs itself, no DAG processor is missed; one that is there has to be healthy."""
    with answering(StandInAirflow(dag_processor=status)) as address:
        async with client(address) as airflow:
            assert (await airflow.health()).sick == sick
            assert [failure.filename for failure in await airflow.import_failures()] == ["bad.py"]


def test_plain_log_lines_bear_the_last_time_that_was_told() -> None:
    """A line without a time belongs to the one before it: so it is found between a fault's begin and end."""
    times = [json.loads(line)["timestamp"] for line in as_json_lines(LOG).splitlines()]
    first, second = "2026-11-24T09:00:01.250000+00:00", "2026-11-24T09:00:02.500000+00:00"
    assert times == [None, None, first, first, second]
