"""Each signal, one by one: the right exit code, one line, nothing left running, and no verdict hidden."""

from __future__ import annotations

import signal

import pytest

from harness.daemon.state_file import read_state
from tests.drill.small_stack import COMPOSE, SmallStack, finish, wait_until

IN_ORDER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NEVER_READY = COMPOSE.replace(
    "ready: {log: asks}\n      ready_within_s: 30", "ready: {log: never}\n      ready_within_s: 600"
)


@pytest.mark.parametrize("number", IN_ORDER, ids=lambda number: number.name)
def test_drill_that_a_signal_ends_leaves_nothing(small_stack: SmallStack, number: signal.Signals) -> None:
    """The fault is lifted, everything is gone, the line names the signal, and the drill says that it was broken off."""
    harness = small_stack.start("drill", "cut", "calm")
    small_stack.wait_for('"kind":"fault_on"', harness)
    harness.send_signal(number)
    code, said = finish(harness)
    assert code == 130, said
    assert f"interrupted by {number.name}; everything that was started is gone" in said
    assert '"kind":"fault_off"' in small_stack.history()
    assert "the drill was broken off" in small_stack.history()
    assert small_stack.left() == []
    assert "Traceback" not in said


@pytest.mark.parametrize("number", IN_ORDER, ids=lambda number: number.name)
def test_fail_that_was_found_stays_when_a_signal_ends_the_rest(small_stack: SmallStack, number: signal.Signals) -> None:
    """A loss that the first drill found is told, and its exit code kept, although the second is broken off."""
    harness = small_stack.start("drill", "calm", "cut", LOSES="yes")
    small_stack.wait_for('"kind":"fault_on"', harness)
    harness.send_signal(number)
    code, said = finish(harness)
    assert code == 1, said
    assert "FAIL  calm: acknowledged-once: " in said
    assert "INCONCLUSIVE" in said
    assert small_stack.left() == []


def test_drill_that_is_to_outlive_its_terminal_does(small_stack: SmallStack) -> None:
    """Started with nohup, a drill goes on when its terminal goes away."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        harness = small_stack.start("drill", "cut")
    finally:
        signal.signal(signal.SIGHUP, before)
    small_stack.wait_for('"kind":"fault_on"', harness)
    harness.send_signal(signal.SIGHUP)
    code, said = finish(harness)
    assert code == 0, said


def test_killed_harness_leaves_nothing(small_stack: SmallStack) -> None:
    """The reaper removes what the harness cannot remove any more."""
    harness = small_stack.start("drill", "cut")
    small_stack.wait_for('"kind":"fault_on"', harness)
    harness.kill()
    assert harness.wait(10) == -signal.SIGKILL
    small_stack.wait_until_gone()


@pytest.mark.parametrize("number", [*IN_ORDER, signal.SIGKILL], ids=lambda number: number.name)
def test_up_that_a_signal_ends_leaves_no_daemon(small_stack: SmallStack, number: signal.Signals) -> None:
    """A stack that is still coming up when its command goes away is taken down, by the daemon itself if need be."""
    small_stack.write(compose=NEVER_READY)
    up = small_stack.start("up")
    wait_until(lambda: any(small_stack.sessions.glob("harness-*/logs/client.log")), "the client to be started", up)
    up.send_signal(number)
    code, said = finish(up)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 130), said
    small_stack.wait_until_gone()
    assert read_state(small_stack.home / "compose.yml") is None


def test_drill_on_a_stack_that_is_up_tells_what_it_had_found(small_stack: SmallStack) -> None:
    """The daemon's results reach the command as they come, and the stack is as good as before when a drill is ended."""
    assert small_stack.run("up", LOSES="yes")[0] == 0
    try:
        harness = small_stack.start("drill", "calm", "cut")
        small_stack.wait_for('"kind":"fault_on"', harness)
        harness.send_signal(signal.SIGTERM)
        code, said = finish(harness)
        assert code == 1, said
        assert "FAIL  calm: acknowledged-once: " in said
        wait_until(lambda: '"kind":"fault_off"' in small_stack.history(), "the fault to be lifted", None)
        wait_until(lambda: "doing     nothing" in small_stack.run("status")[1], "the daemon to be at rest", None)
    finally:
        assert small_stack.run("down")[0] == 0
    assert small_stack.left() == []
