"""What a user can name is documented: scenarios, commands, options, exit codes."""

from __future__ import annotations

import re

import pytest

from harness import errors
from harness.checks.finding import Verdict
from harness.cli.ending import INTERRUPTED
from harness.errors import HarnessError
from harness.reference.commands import EXIT_CODES, commands
from tests.house.sources import ROOT, files, name_of

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_scenario_is_documented_under_its_files_name() -> None:
    """The page of scenarios has one row for each file, called as the file is."""
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    files_here = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
    assert re.findall(r"^\| `([\w-]+)` \|", page, flags=re.MULTILINE) == files_here, (
        "docs/scenarios.md: run `python -m harness.reference`; a scenario is called as its file"
    )


@pytest.mark.parametrize("called", [called for called, _ in commands()])
def test_command_is_in_the_readme(called: str) -> None:
    """The README's table of commands has each of them."""
    table = re.findall(r"^\| (`harness .*?) \|", README, flags=re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`([^`]*)`", row)]
    assert any(name == called or name.startswith(f"{called} ") for name in named), (
        f"README.md: add a row for `{called}` to the table of commands"
    )


def test_every_option_that_a_page_names_exists() -> None:
    """An option in the README, in the docs or in the text of a finding is one that a command takes."""
    known = {
        name
        for _, command in commands()
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    texts = [ROOT / "README.md", *(path for path in files("docs") if path.suffix == ".md")]
    unknown = {
        f"{name_of(path)}: {line.strip()}"
        for path in texts
        for line in path.read_text(encoding="utf-8").splitlines()
        for called in re.findall(r"\bharness (?:drill|init|images|list|up|down|load|clean)\b([^`|#]*)", line)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", called)
        if option not in known
    }
    assert not unknown, f"no command takes these options: {sorted(unknown)}"


def test_every_exit_code_is_documented() -> None:
    """Each code that the command line can end with has a meaning on the page of commands."""
    of_errors = {
        each.exit_code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, HarnessError)
    }
    assert of_errors | {verdict.exit_code for verdict in Verdict} | {INTERRUPTED} == set(EXIT_CODES)
