"""The walk-through says what is so: its commands print what it shows, and its YAML is what the file takes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from harness.cli.init import init
from harness.stack.adapters import Adapters
from harness.stack.workload import Workload
from tests.foreign.overlay import FILES

PAGE = (Path(__file__).parents[2] / "docs" / "bring-your-own.md").read_text(encoding="utf-8")


def test_walk_through_shows_what_init_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first command of the page gives the output that stands below it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FILES, "payments")
    init(Path("payments/docker-compose.yml"), None, scenarios=True, force=False)
    assert capsys.readouterr().out in PAGE


def test_walk_through_adds_adapters_that_the_file_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The YAML that the reader is told to write is valid beside the rest of the proposal."""
    (block,) = re.findall(r"```yaml\n(workload:.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FILES, "payments")
    init(Path("payments/docker-compose.yml"), None, scenarios=True, force=False)
    written = yaml.safe_load(Path("payments/docker-compose.harness.yml").read_text())["x-harness"]["adapters"]
    adapters = Adapters.model_validate(written | yaml.safe_load(block))
    assert adapters.operations is not None
    assert set(adapters.probes) == {"cents-are-right", "refusals-are-logged"}


@pytest.mark.parametrize("name", [*sorted(set(Adapters.model_fields) - {"workload", "probes"}), *Workload.model_fields])
def test_walk_through_names_every_adapter(name: str) -> None:
    """What the file may say under adapters stands in the page's table."""
    assert re.search(rf"^\|.*`(workload\.)?{name}`", PAGE, re.MULTILINE)
