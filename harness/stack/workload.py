"""What counts as a run of a system that no Airflow runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from harness.validated import Strict


class HttpWorkload(Strict):
    """A run is a series of requests, each with an id of its own: ``{run}`` and ``{n}`` stand for run and number.

    Args:
        url: names a service of the stack and its port.
        id: what the system stores of a request, and what a final read finds it by.
        times: how many requests.
        every_s: from the start of one to the start of the next.
        deadline_s: without an answer by then, the fate of a request is unknown.
    """

    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    json_body: JsonValue = Field(default=None, alias="json")
    id: str = "{run}-{n}"
    times: int = Field(default=20, ge=1, le=100_000)
    every_s: float = Field(default=0.5, ge=0, le=60)
    deadline_s: float = Field(default=5, gt=0, le=600)

    @model_validator(mode="after")
    def _ids_differ(self) -> HttpWorkload:
        if "{run}" not in self.id or "{n}" not in self.id:
            raise ValueError("id holds {run} and {n}: without them, two requests could not be told apart")
        return self


class CommandWorkload(Strict):
    """A run is a command with the environment of a service: in its container, or as a local process beside it.

    Args:
        service: whose environment it gets.
        run: the command; ``{run}`` stands for the run's id. Exit code 0 is success.
    """

    service: str
    run: list[str] = Field(min_length=1)


class WaitWorkload(Strict):
    """The system is at work by itself: a run is a time in which it is watched."""

    for_s: float = Field(gt=0, le=3600)


class Workload(Strict):
    """One of the three."""

    http: HttpWorkload | None = None
    command: CommandWorkload | None = None
    wait: WaitWorkload | None = None

    @model_validator(mode="after")
    def _one(self) -> Workload:
        if sum(each is not None for each in (self.http, self.command, self.wait)) != 1:
            raise ValueError("a workload is one of: http, command, wait")
        return self
