"""``harness up``, ``harness down`` and ``harness clean``."""

from __future__ import annotations

import os

from harness.cli.drilling import check_saboteur
from harness.cli.options import DEFAULT_STACK, Saboteur, Seed, StackFile, console_for_people
from harness.drill.interruptible import run_interruptibly
from harness.drill.session import any_seed, variables
from harness.keeper.client import start_keeper, take_down
from harness.keeper.place import read_pointer
from harness.report.terminal import TerminalProgress
from harness.runtime.leftovers import clean_dead_sessions
from harness.stack.stack import load_stack


def up(stack: StackFile = DEFAULT_STACK, seed: Seed = None, saboteur: Saboteur = None) -> int:
    """Start the stack and leave it up; drills run on it until `harness down`."""
    console = console_for_people()
    described = load_stack(stack, variables(os.environ, seed or 0))
    check_saboteur(described, saboteur)
    progress = TerminalProgress(console)
    if read_pointer(stack) is not None:
        console.print(" the stack is up already")
        return 0
    try:
        run_interruptibly(
            start_keeper(stack, seed=any_seed() if seed is None else seed, saboteur=saboteur, progress=progress)
        )
    finally:
        progress.done()
    console.print(" it stays up until `harness down`")
    return 0


def down(stack: StackFile = DEFAULT_STACK) -> int:
    """Take down the stack that is kept up."""
    console = console_for_people()
    kept = read_pointer(stack)
    if kept is None:
        console.print(" nothing to take down: no stack is kept up")
        return 0
    progress = TerminalProgress(console)
    try:
        progress.at_work("taking the stack down …")
        run_interruptibly(take_down(kept, progress))
    finally:
        progress.done()
    console.print(" the stack is down, and nothing of it is left")
    return 0


def clean() -> int:
    """Remove what dead sessions left behind; living ones are left alone."""
    console = console_for_people()
    found = clean_dead_sessions()
    if not found.sessions:
        console.print(" nothing to clean: no dead session left anything behind")
    else:
        console.print(f" removed {len(found.sessions)} dead sessions, {found.killed} processes killed")
    return 3 if found.left else 0
