"""Every test, in lanes: what runs side by side, what starts stacks, and what must have the machine for itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from bootstrap.ready import tool

PYTEST = ("pytest", "-rs", "--durations=25", "features", "tests")
# A drill waits half of its time; but a stack that only stands there costs a sixth of a core: with twice as many workers
# as cores the whole takes no less time, and what is promised of a drill is missed for want of a processor.
_WORKERS = min((os.cpu_count() or 1) + 1, 4)
# Schedulers of several stacks, each at its quickest, would keep one core from all else.
_UNHURRIED = {"SCHEDULER_IDLE_SLEEP_S": "0.3"}
# The same schedule in every run; bootstrap/scheduling.py hands out what takes long first.
_SEED = ("--drill-seed", "4711")
THOROUGH = "--thorough"
SOME_FAILED = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Tests that one run of pytest takes on.

    Args:
        about: what they are, for the person who waits.
        marks: which of all tests they are, as pytest's ``-m`` has it.
        workers: how many run at once; none of them beside another where it is 1.
        variables: what stands in the environment besides.
    """

    about: str
    marks: str
    workers: int
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, *options: str) -> tuple[str, ...]:
        """The run of pytest.

        Args:
            options: what it is told besides.
        """
        beside = ("-n", str(self.workers), "--dist", "loadfile") if self.workers > 1 else ()
        return (*PYTEST, "-m", self.marks, *beside, *_SEED, *options)


QUICK = Part("tests that start no stack, side by side", "not (stack or sweep or alone)", _WORKERS)
LONG = Part(
    "sweeps and tests that start stacks, several at once", "(stack or sweep) and not alone", _WORKERS, _UNHURRIED
)
ALONE = Part("tests that must have the machine for themselves", "alone", 1)
# Between them, the parts of a whole lane are every test; tests/bootstrap/test_lanes.py sees to it.
LANES: dict[str, tuple[Part, ...]] = {
    "test": (QUICK, LONG, ALONE),
    "test-quick": (QUICK,),
    "test-thorough": (QUICK, LONG, ALONE),
}


def run_lane(lane: str, options: list[str]) -> int:
    """Run every part of a lane, the next also when tests of one failed.

    Args:
        lane: its name.
        options: what pytest is told besides.

    Returns:
        The exit code of pytest: the worst of them.
    """
    codes: list[int] = []
    for part in LANES[lane]:
        print(f"======== {part.about} ========", flush=True)  # noqa: T201 - to a person at a terminal
        command = part.command(*([THOROUGH] if lane == "test-thorough" else []), *options)
        codes.append(wait_for([tool(command[0]), *command[1:]], part.variables))
        if codes[-1] > SOME_FAILED:
            break
    return max(codes)


def wait_for(command: list[str], variables: Mapping[str, str]) -> int:
    """Run a command to its own end, also when it is told to stop: it may have much to take down.

    Args:
        command: the program and its arguments.
        variables: what stands in its environment besides.

    Returns:
        Its exit code, as a shell gives it.
    """
    with subprocess.Popen(command, env={**os.environ, **variables}) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        # The terminal's Ctrl-C went to the command as well.
        signal.signal(signal.SIGINT, lambda *_: None)
        code = process.wait()
    return code if code >= 0 else 128 - code
