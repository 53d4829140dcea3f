"""Promises that the stack's file states itself: what a query must find, or what a log must or must not say."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from harness.stack.compose_values import Scalar
from harness.validated import Strict


def _pattern(value: object) -> object:
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as cause:
            raise ValueError(f"is not a regular expression: {cause}") from cause
    return value


class SqlPromise(Strict):
    """What a query finds when everything is over.

    Args:
        sql: the query.
        rows: how many rows it finds; 0 for none.
        value: what the first column of its only row is.
    """

    sql: str
    rows: int | None = Field(default=None, ge=0)
    value: Scalar = None

    @model_validator(mode="after")
    def _one_expectation(self) -> SqlPromise:
        if len({"rows", "value"} & self.model_fields_set) != 1:
            raise ValueError("say what the query must find: rows (how many), or value (of its only row)")
        return self


class LogPromise(Strict):
    """How often a service's own output says something.

    Args:
        log: the service.
        matches: a regular expression; lines are counted.
        at_least: the fewest lines.
        at_most: the most.
        during: in which part of the drill: while faults are on, from the last heal on, or all of it.
        under: the link or service on which a fault has to be for this to be promised; any drill when it is left out.
    """

    log: str
    matches: Annotated[str, BeforeValidator(_pattern)]
    at_least: int = Field(default=0, ge=0)
    at_most: int | None = Field(default=None, ge=0)
    during: Literal["drill", "faults", "after"] = "drill"
    under: str | None = None

    @model_validator(mode="after")
    def _demands_something(self) -> LogPromise:
        if self.at_most is None and not self.at_least:
            raise ValueError("say how often: at_least, at_most, or both (at_most: 0 for never)")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most is less than at_least")
        return self


def _told_apart(value: object) -> object:
    """Pick the promise by its key, so that an error speaks of that one only."""
    if not isinstance(value, dict):
        return value
    if "sql" in value:
        return SqlPromise.model_validate(value)
    if "log" in value:
        return LogPromise.model_validate(value)
    raise ValueError("a probe begins with sql (a query) or log (a service)")


Probe = Annotated[SqlPromise | LogPromise, BeforeValidator(_told_apart)]
ProbeName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
