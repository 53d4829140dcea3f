"""Services that end by themselves in a drill, as a helper does that has done its work."""

from __future__ import annotations

from pathlib import Path

from tests.foreign.tiny import Fields, drill, fault

GOES_ON: Fields = {"probes": {"cli-goes-on": {"log": "cli", "matches": "polled", "at_least": 1, "during": "after"}}}


def helper(code: int) -> Fields:
    """A service that ends in the middle of the steady run, which lasts two seconds."""
    ends = f"import sys, time; time.sleep(1); sys.exit({code})"
    return {"x-harness": {"run": ["python", "-c", ends]}}


def test_helper_that_has_done_its_work_leaves_a_verdict(tmp_path: Path) -> None:
    """A one-shot for whose start others wait ends with 0, and the drill is judged as if it had never been there."""
    found = drill(tmp_path, adapters=GOES_ON, faults=[fault("refused")], helper=helper(0))
    assert (found.exit_code, found.verdict) == (0, "PASS"), found


def test_helper_that_could_not_do_its_work_is_told(tmp_path: Path) -> None:
    """One that ends with another code has not done what the system needs, and the drill is no pass."""
    found = drill(tmp_path, adapters=GOES_ON, faults=[fault("refused")], helper=helper(1))
    assert found.exit_code != 0, found
    assert ("controlled", "a service ended by itself") in found.findings
