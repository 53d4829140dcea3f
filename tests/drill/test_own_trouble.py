"""What goes wrong with the harness itself is INCONCLUSIVE, in one line, and hides no verdict that was reached."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.drill.small_stack import SmallStack, finish, wait_until

STOPPED_S = 5.0
PROMISES = "promises: [acknowledged-once]"


def verdicts(stack: SmallStack) -> dict[str, str]:
    """The verdict of each scenario, as the report has it."""
    (written,) = stack.reports.glob("*/verdict.json")
    return {each["scenario"]: each["verdict"] for each in json.loads(written.read_text())}


def test_toxiproxy_killed_in_mid_fault_is_inconclusive_and_the_next_drill_runs(small_stack: SmallStack) -> None:
    """The proxy of the faulted link is gone: that drill tells nothing, and the next one is as good as ever."""
    harness = small_stack.start("drill", "cut", "calm")
    small_stack.wait_for('"kind":"fault_on"', harness)
    proxies = [each for each in psutil.Process(harness.pid).children(recursive=True) if "toxiproxy" in each.name()]
    proxies[0].kill()
    code, said = finish(harness)
    assert (code, verdicts(small_stack)) == (3, {"cut": "INCONCLUSIVE", "calm": "PASS"}), said
    assert "INCONCLUSIVE  cut: controlled: a proxy was lost in mid-drill" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_log_that_vanishes_is_named_and_is_no_pass(small_stack: SmallStack, how: str) -> None:
    """A log that was there and is gone, or has shrunk, is missing evidence: its silence would read like health."""
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    log = small_stack.log_of("client")
    wait_until(lambda: log.stat().st_size > 0, "the client to write", harness)
    if how == "removed":
        log.unlink()
    else:
        os.truncate(log, 0)
    code, said = finish(harness)
    assert re.search(r"logs/client\.log (was removed|shrank|was written anew) in mid-drill", said), said
    assert '"kind":"evidence_missing"' in small_stack.history()
    assert code == 3, said


def test_report_folder_removed_in_mid_drill_is_no_pass(small_stack: SmallStack) -> None:
    """The folder is made anew, with all that is known; but what was in it is gone, and so it is no PASS."""
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    (report,) = small_stack.reports.iterdir()
    shutil.rmtree(report)
    code, said = finish(harness)
    assert (code, verdicts(small_stack)) == (3, {"cut": "INCONCLUSIVE"}), said
    assert "the evidence could not be kept" in said
    assert "history.jsonl was removed in mid-drill; it was written anew" in said
    assert '"kind":"fault_healed"' in small_stack.history()
    assert "Traceback" not in said


def test_report_folder_removed_in_mid_drill_hides_no_fail(small_stack: SmallStack) -> None:
    """What was found stands."""
    harness = small_stack.start("drill", "cut", LOSES="yes")
    small_stack.wait_for('"kind":"fault_on"', harness)
    shutil.rmtree(small_stack.reports)
    code, said = finish(harness)
    assert (code, verdicts(small_stack)) == (1, {"cut": "FAIL"}), said
    assert "FAIL  cut: acknowledged-once: " in said


def test_evidence_removed_behind_a_drill_is_no_pass(small_stack: SmallStack) -> None:
    """A drill that passed, and whose evidence is gone when the last one is over, has not passed."""
    harness = small_stack.start("drill", "calm", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    (evidence,) = small_stack.reports.glob("*/calm")
    shutil.rmtree(evidence)
    code, said = finish(harness)
    assert (code, verdicts(small_stack)) == (3, {"calm": "INCONCLUSIVE", "cut": "PASS"}), said
    assert f"{evidence} was removed before the last drill was over" in " ".join(said.split())


def test_harness_that_was_stopped_says_so_and_passes_nothing(small_stack: SmallStack) -> None:
    """A harness that stood still has neither seen nor done anything meanwhile: nothing that it timed is the system's."""
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    harness.send_signal(signal.SIGSTOP)
    stopped_at_s = time.monotonic()
    wait_until(lambda: time.monotonic() > stopped_at_s + STOPPED_S, "its stop to last", harness)
    harness.send_signal(signal.SIGCONT)
    code, said = finish(harness)
    (stall,) = [json.loads(line) for line in small_stack.history().splitlines() if "harness_stalled" in line]
    assert STOPPED_S <= stall["event"]["took_s"] < STOPPED_S + 3
    assert "the harness stood still for 5." in said
    assert code == 3, said


@pytest.fixture
def little_room(small_stack: SmallStack) -> Iterator[Path]:
    """A disk for the reports with room for a megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    small_stack.reports.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small_stack.reports)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small file system is not allowed here: {mounted.stderr.decode().strip()}")
    yield small_stack.reports
    subprocess.run(["umount", "--lazy", str(small_stack.reports)], check=True)


@pytest.mark.parametrize(("loses", "code"), [("yes", 1), ("no", 3)])
def test_full_disk_hides_no_fail_and_leaves_no_pass(
    small_stack: SmallStack, little_room: Path, loses: str, code: int
) -> None:
    """When the disk is full in mid-drill, a FAIL is a FAIL, and a PASS that nothing shows is INCONCLUSIVE."""
    harness = small_stack.start("drill", "cut", LOSES=loses)
    small_stack.wait_for('"kind":"fault_on"', harness)
    fill(little_room / "filler")
    found, said = finish(harness)
    assert found == code, said
    assert ("FAIL  cut: acknowledged-once: " in said) is (loses == "yes")
    assert "No space left on device" in said
    assert "Traceback" not in said


def fill(path: Path) -> None:
    """Write until there is no more room."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


@pytest.mark.parametrize(("loses", "code"), [("yes", 1), ("no", 0)])
def test_reader_that_goes_away_changes_no_exit_code(small_stack: SmallStack, loses: str, code: int) -> None:
    """A FAIL is 1 and a PASS is 0, although nothing reads what the command prints."""
    harness = small_stack.start("drill", "calm", LOSES=loses)
    assert harness.stdout is not None
    harness.stdout.readline()
    harness.stdout.close()
    assert harness.wait(60) == code


def test_run_that_does_not_end_is_told_with_what_it_was_at(small_stack: SmallStack) -> None:
    """A run that is given up is told with how long it was waited for, and what it was still doing."""
    fault = "faults:\n  - {service: server, is: pause, from: {at_s: 0.2}, for_s: 3}\n"
    small_stack.write(slow=f"name: slow\nabout: The server stands still.\n{PROMISES}\nrun_limit_s: 2\n{fault}")
    _, said = small_stack.run("drill", "slow")
    assert re.search(r"given up   the run had not ended after \d+ s: it was still running \(since \+0\.0 s\)", said), (
        said
    )


def test_service_that_does_not_come_up_is_told_with_its_last_line_and_its_log(small_stack: SmallStack) -> None:
    """One line names the service, what it said last, and where its log is; and the log is there."""
    compose = (small_stack.home / "compose.yml").read_text()
    (small_stack.home / "broken.py").write_text(
        "print('reads its settings')\nraise SystemExit('no such table: things')"
    )
    small_stack.write(compose=compose.replace("{project}/client.py", "{project}/broken.py"))
    code, said = small_stack.run("drill", "calm")
    (log,) = small_stack.reports.glob("*/logs/client.log")
    first = next(line for line in said.splitlines() if "error" in line)
    assert code == 3
    assert "client ended with exit code 1 before it was ready; its last line: no such table: things" in first
    assert first.endswith(f"its log: {log}")
    assert "reads its settings" in log.read_text()
