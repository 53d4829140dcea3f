"""The command that does a drill again."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drill.again import drill_again
from harness.runtime.running import RuntimeName

STACK = Path("docker-compose.test.yml")


@pytest.mark.parametrize(
    ("runtime", "project", "options"),
    [
        (RuntimeName.LOCAL, None, ""),
        (RuntimeName.DOCKER, None, " --runtime docker"),
        (RuntimeName.DOCKER, "desk", " --attach desk"),
    ],
)
def test_again_is_how_it_was_drilled(runtime: RuntimeName, project: str | None, options: str) -> None:
    """A drill on a project that was running already is done again there, not on a stack of the harness's own."""
    again = drill_again("backend-down", seed=7, stack=STACK, runtime=runtime, project=project)
    assert again == f"harness drill backend-down --seed 7{options}"
