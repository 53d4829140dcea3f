"""The page on faults and checks of one's own shows a package that works: the one that the tests install."""

from __future__ import annotations

import re

import pytest

from tests.house.sources import ROOT

PACKAGE = ROOT / "tests" / "other_package" / "package"
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SHOWN = [block for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if "def test_" not in block]


@pytest.mark.parametrize("block", SHOWN)
def test_what_the_page_shows_is_the_whole_module(block: str) -> None:
    """But for what only explains: a reader who copies it has what was tried."""
    shown = code_of(block)
    modules = {path.name: code_of(path.read_text(encoding="utf-8")) for path in PACKAGE.glob("harness_extras/*.py")}
    assert shown in modules.values(), f"docs/extending.md shows what is in none of {sorted(modules)}"


def test_entry_points_that_the_page_shows_are_those_of_the_package() -> None:
    """They name the modules."""
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert shown in (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")


def code_of(text: str) -> list[str]:
    """The lines that do something: no docstrings, no empty lines."""
    without = re.sub(r'^ *""".*?"""\n', "", text, flags=re.DOTALL | re.MULTILINE)
    return [line for line in without.splitlines() if line.strip() and line != "from __future__ import annotations"]
