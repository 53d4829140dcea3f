"""``harness up``, ``harness down`` and ``harness clean``."""

from __future__ import annotations

from harness.cli.drilling import check_saboteur
from harness.cli.options import RuntimeOption, Saboteur, Seed, StackFile, console_for_people
from harness.daemon.client import start_daemon, take_down
from harness.daemon.state_file import read_state
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import any_seed, describe
from harness.drill.interruptible import run_interruptibly
from harness.errors import HarnessError
from harness.report.terminal import TerminalProgress
from harness.runtime.docker.engine import address_if_any
from harness.runtime.running import RuntimeName
from harness.runtime.session.leftovers import clean_dead_sessions


def up(
    stack: StackFile = DEFAULT_STACK,
    seed: Seed = None,
    runtime: RuntimeOption = RuntimeName.LOCAL,
    saboteur: Saboteur = None,
) -> int:
    """Start the stack and leave it up; drills run on it until `harness down`."""
    console = console_for_people()
    seed = any_seed() if seed is None else seed
    described = describe(stack, seed=seed)
    check_saboteur(described, saboteur)
    progress = TerminalProgress(console)
    if read_state(stack) is not None:
        console.print(" the stack is up already")
        return 0
    try:
        run_interruptibly(start_daemon(stack, seed=seed, saboteur=saboteur, runtime=runtime, progress=progress))
    finally:
        progress.done()
    console.print(" it stays up until `harness down`")
    return 0


def down(stack: StackFile = DEFAULT_STACK) -> int:
    """Take down the stack that `harness up` has started."""
    console = console_for_people()
    state = read_state(stack)
    if state is None:
        console.print(" nothing to take down: no stack is up")
        return 0
    progress = TerminalProgress(console)
    try:
        progress.at_work("taking the stack down …")
        run_interruptibly(take_down(state, progress))
    finally:
        progress.done()
    console.print(" the stack is down, and nothing of it is left")
    return 0


def clean() -> int:
    """Remove what dead sessions left behind; living ones are left alone."""
    console = console_for_people()
    found = clean_dead_sessions(address_if_any())
    if not found.sessions:
        console.print(" nothing to clean: no dead session left anything behind")
    else:
        things = f", {found.in_engine} containers, networks and volumes removed" if found.in_engine else ""
        console.print(f" removed {len(found.sessions)} dead sessions, {found.killed} processes killed{things}")
    if found.left:
        console.print(f" could not be removed: {', '.join(found.left)}", soft_wrap=True)
    return HarnessError.exit_code if found.left else 0
