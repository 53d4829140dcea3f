"""``harness up``, ``harness down`` and ``harness clean``."""

from __future__ import annotations

from harness.cli.drilling import check_saboteur
from harness.cli.options import RuntimeOption, Saboteur, Seed, StackFile, console_for_people
from harness.cli.status import print_status
from harness.daemon.client import ask_status, find_daemon, start_daemon, take_down
from harness.daemon.state_file import read_state
from harness.daemon.status import StackStatus
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import any_seed, describe
from harness.drill.interruptible import run_interruptibly
from harness.drill.progress import Progress
from harness.errors import HarnessError
from harness.report.terminal import TerminalProgress
from harness.runtime.docker.engine import address_if_any
from harness.runtime.running import RuntimeName
from harness.runtime.session.leftovers import clean_dead_sessions
from harness.stack.stack import Stack


def up(
    stack: StackFile = DEFAULT_STACK,
    seed: Seed = None,
    runtime: RuntimeOption = RuntimeName.LOCAL,
    saboteur: Saboteur = None,
) -> int:
    """Start the stack, leave it up and say where it is reached; drills and loads run on it until `harness down`."""
    console = console_for_people()
    seed = any_seed() if seed is None else seed
    described = describe(stack, seed=seed)
    check_saboteur(described, saboteur)
    progress = TerminalProgress(console)
    found = run_interruptibly(_up(described, seed, saboteur, runtime, progress))
    print_status(console, found)
    console.print("\n it stays up until `harness down`; `harness status` shows this again", highlight=False)
    return 0


async def _up(stack: Stack, seed: int, saboteur: str | None, runtime: RuntimeName, progress: Progress) -> StackStatus:
    try:
        if (state := await find_daemon(stack, saboteur, runtime)) is not None:
            progress.line("the stack is up already")
        else:
            state = await start_daemon(stack.path, seed=seed, saboteur=saboteur, runtime=runtime, progress=progress)
        return await ask_status(state, progress)
    finally:
        progress.done()


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
