"""How much load, and what is enough: a load profile."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.errors import ScenarioError
from harness.stack.source import read_source, validate
from harness.validated import Strict

SUFFIX = ".yaml"


class LoadPlan(Strict):
    """A load profile.

    Args:
        runs: how many runs of the workflow, one after the other.
        symbols: what each run trades.
        run_limit_s: the longest that a run may take; then it has failed.
        success_threshold: the share of the runs that must succeed.
    """

    runs: int = Field(default=5, ge=1, le=10_000)
    symbols: list[str] = Field(default=["AAPL"], min_length=1, max_length=20)
    run_limit_s: float = Field(default=120, gt=0, le=3600)
    success_threshold: float = Field(default=1.0, ge=0, le=1)


def load_profile(name: str, directory: Path) -> LoadPlan:
    """Read the profile called ``name``, or the file of that path.

    Args:
        name: a name or a path.
        directory: where named profiles stand.

    Raises:
        ScenarioError: there is none, or it is wrong; the message names file, line, key and what is allowed.
    """
    path = Path(name) if name.endswith(SUFFIX) else directory / f"{name}{SUFFIX}"
    if not path.is_file():
        known = sorted(each.stem for each in directory.glob(f"*{SUFFIX}"))
        raise ScenarioError(f"no load profile {name!r}: there are: {', '.join(known) or 'none'} (in {directory})")
    return validate(read_source(path, ScenarioError), LoadPlan, ScenarioError)
