"""An exception that no part of the harness expected is exit code 3 with one line, and its trace is in a file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.drill.small_stack import PROJECT, SmallStack

# Faults and checks of another package that have defects of their own: the one place where any code can fail in a drill.
DEFECTS = """\
from typing import ClassVar, Literal

from harness import Check, LinkFault, Toxic


class Trips(LinkFault):
    kind: Literal["trips"] = "trips"
    PROBE_OUTCOMES: ClassVar[frozenset[str]] = frozenset({"reset"})
    IN_LOGS: ClassVar[str] = "reset"
    ABOUT: ClassVar[str] = "tripped"
    SENTENCE: ClassVar[str] = "it fails when it is switched on"
    PHRASES: ClassVar[tuple[str, ...]] = ("trips",)
    PROOF_ON: ClassVar[str] = "none"

    def toxics(self) -> tuple[Toxic, ...]:
        raise ZeroDivisionError("a fault with a defect, for postgresql://desk:opensesame@db/desk")

    @classmethod
    def settings(cls) -> tuple[str, ...]:
        raise KeyError("settings of a fault with a defect")


def judge(case: object) -> list[object]:
    raise LookupError("a check with a defect")


CHECK = Check(name="trips", judge=judge, holds_when="never", witness="none")
"""
ENTRY_POINTS = "[harness.faults]\ntrips = defects:Trips\n\n[harness.checks]\ntrips = defects:CHECK\n"
BY_FAULT = """\
name: by-fault
about: A fault fails when it is switched on.
promises: [acknowledged-once]
faults:
  - {link: client -> server, is: trips, from: {at_s: 0.1}, for_s: 1}
"""
BY_CHECK = "name: by-check\nabout: A check fails.\npromises: [acknowledged-once, trips]\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """What PYTHONPATH has to be for the package to be installed."""
    site = tmp_path / "site"
    (site / "defects-1.0.dist-info").mkdir(parents=True)
    (site / "defects.py").write_text(DEFECTS)
    (site / "defects-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: defects\nVersion: 1.0\n")
    (site / "defects-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    return os.pathsep.join([str(site), str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])


def verdicts(stack: SmallStack) -> dict[str, str]:
    """The verdict of each scenario, as the report has it."""
    (written,) = stack.reports.glob("*/verdict.json")
    return {each["scenario"]: each["verdict"] for each in json.loads(written.read_text())}


def test_exception_in_mid_drill_names_the_part_and_the_next_scenario_runs(small_stack: SmallStack, path: str) -> None:
    """The drill is INCONCLUSIVE with the part that failed, the witnesses are heard, and the next one passes."""
    small_stack.write(**{"by-fault": BY_FAULT})
    code, said = small_stack.run("drill", "by-fault", "calm", PYTHONPATH=path)
    assert (code, verdicts(small_stack)) == (3, {"by-fault": "INCONCLUSIVE", "calm": "PASS"}), said
    told = r"the harness failed in the run with the faults: ZeroDivisionError: a fault with a defect"
    assert re.search(told, said), said
    assert "Traceback" not in said
    assert '"phase_began","phase":"reads"' in small_stack.history("by-fault")
    (trace,) = small_stack.reports.glob("*/by-fault/harness-trace.log")
    assert 'raise ZeroDivisionError("a fault with a defect' in trace.read_text()
    assert "opensesame" not in said + small_stack.history("by-fault")


def test_exception_in_mid_drill_hides_no_loss(small_stack: SmallStack, path: str) -> None:
    """What the witnesses say counts, also when the harness had an accident."""
    small_stack.write(**{"by-fault": BY_FAULT})
    code, said = small_stack.run("drill", "by-fault", PYTHONPATH=path, LOSES="yes")
    assert (code, verdicts(small_stack)) == (1, {"by-fault": "FAIL"}), said
    assert "FAIL  by-fault: acknowledged-once: " in said
    assert "INCONCLUSIVE  by-fault: controlled: " in said


def test_check_that_fails_itself_is_inconclusive(small_stack: SmallStack, path: str) -> None:
    """A defect of a check is not the system's, and the next scenario is judged."""
    small_stack.write(**{"by-check": BY_CHECK})
    code, said = small_stack.run("drill", "by-check", "calm", PYTHONPATH=path)
    assert (code, verdicts(small_stack)) == (3, {"by-check": "INCONCLUSIVE", "calm": "PASS"}), said
    assert "Traceback" not in said


def test_exception_in_a_command_is_one_line_with_the_place_of_its_trace(small_stack: SmallStack, path: str) -> None:
    """Any other command ends with 3 as well, for 1 would say that the system has failed."""
    code, said = small_stack.run("list", "--faults", PYTHONPATH=path)
    assert code == 3, said
    (line,) = said.splitlines()
    found = re.search(
        r"error  the harness failed in its command: KeyError: 'settings of .*\(its trace is in (\S+)\)$", line
    )
    assert found is not None, line
    assert "in settings" in Path(found[1]).read_text()
