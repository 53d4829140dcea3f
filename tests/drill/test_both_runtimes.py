"""The whole suite of scenarios, on local processes and on containers: a scenario does not know which."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parents[2]
EVERY = tuple(sorted(path.stem for path in (PROJECT / "scenarios").glob("*.yaml")))
RUNTIMES = ("local", "docker")
SEED = 4711
# Both runtimes at once take a quarter of an hour on two cores.
DEADLINE_S = 2400

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.docker
def test_scenarios_have_the_same_verdicts_on_both_runtimes(
    start_drill: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    """A scenario passes on either runtime, or a runtime cannot do it; both drill at once on this machine."""
    drills = {runtime: start_drill(*EVERY, "--runtime", runtime, "--seed", str(SEED), "--json") for runtime in RUNTIMES}
    with ThreadPoolExecutor() as pool:  # both at once: a pipe that is not read would stop its drill
        said = dict(
            zip(drills, pool.map(lambda drill: drill.communicate(timeout=DEADLINE_S)[0], drills.values()), strict=True)
        )
    verdicts = {runtime: verdicts_of(text) for runtime, text in said.items()}
    with capfd.disabled():
        print_table(verdicts)
    for scenario in EVERY:
        assert verdicts["docker"].get(scenario) == "PASS", said["docker"]
        assert verdicts["local"].get(scenario) in {"PASS", "SKIPPED"}, said["local"]


def verdicts_of(said: str) -> dict[str, str]:
    """The verdict of each scenario, from what the command printed: the JSON stands last, behind what is for people."""
    start = said.find("\n[\n")
    if start < 0:
        return {}
    found, _ = json.JSONDecoder().raw_decode(said[start + 1 :])
    return {each["scenario"]: each["verdict"] for each in found}


def print_table(verdicts: Mapping[str, Mapping[str, str]]) -> None:
    """One scenario a row, one runtime a column."""
    table = Table(title="the same scenarios on both runtimes")
    for column in ("scenario", *RUNTIMES):
        table.add_column(column)
    for scenario in EVERY:
        table.add_row(scenario, *(verdicts[runtime].get(scenario, "no verdict") for runtime in RUNTIMES))
    Console(file=sys.stdout, width=100).print(table)
