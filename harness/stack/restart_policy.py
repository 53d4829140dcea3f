"""When a service that ended by itself is started again: Compose's ``restart`` and ``deploy.restart_policy``.

Source: https://docs.docker.com/reference/compose-file/services/#restart and
https://docs.docker.com/reference/compose-file/deploy/#restart_policy
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from harness.stack.units import seconds
from harness.validated import Strict

_CONDITIONS = {"none": "no", "any": "always"}


class RestartOn(StrEnum):
    """After which ends a service is started again."""

    NO = "no"
    FAILURE = "on-failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """What follows when a service ends without being asked to.

    Args:
        on: after which ends it is started again.
        at_most: how often; None without a limit.
    """

    on: RestartOn = RestartOn.NO
    at_most: int | None = None

    def wants(self, returncode: int, so_far: int) -> bool:
        """Whether a service is started again.

        Args:
            returncode: how it ended.
            so_far: how often it was started again before.
        """
        if self.at_most is not None and so_far >= self.at_most:
            return False
        return self.on is RestartOn.ALWAYS or (self.on is RestartOn.FAILURE and returncode != 0)


NO_RESTART = RestartPolicy()


def _word(value: object) -> object:
    # YAML 1.1 reads a bare no as false.
    return "no" if value is False else value


Restart = Annotated[str, BeforeValidator(_word), Field(pattern=r"^(no|always|unless-stopped|on-failure(:\d+)?)$")]
_Delay = Annotated[float, BeforeValidator(seconds), Field(ge=0)]


class RestartPart(Strict):
    """``deploy.restart_policy``; ``delay`` and ``window`` are a swarm's, and Compose's engine has a pace of its own."""

    condition: Literal["none", "on-failure", "any", "always", "unless-stopped"] = "any"
    max_attempts: int | None = Field(default=None, ge=0)
    delay: _Delay = 0.0
    window: _Delay = 0.0


def restart_policy_of(restart: str | None, deployed: RestartPart | None, *, one_shot: bool) -> RestartPolicy:
    """The policy of a service; ``deploy.restart_policy`` counts before ``restart``, as it does for Compose.

    No person stops a service of a drill, so that ``unless-stopped`` is the same as ``always``.

    Args:
        restart: as the file has it.
        deployed: as the file has it.
        one_shot: whether it is done once it has ended well: only its failures are a reason to start it again.
    """
    word, _, most = (restart or "no").partition(":")
    at_most = int(most) if most else None
    if deployed is not None:
        word, at_most = _CONDITIONS.get(deployed.condition, deployed.condition), deployed.max_attempts
    on = RestartOn.ALWAYS if word == "unless-stopped" else RestartOn(word)
    # For Docker's engine, 0 attempts are no limit.
    return RestartPolicy(RestartOn.FAILURE if one_shot and on is RestartOn.ALWAYS else on, at_most or None)
