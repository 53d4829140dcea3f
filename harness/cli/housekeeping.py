"""``harness clean``."""

from __future__ import annotations

from rich.console import Console

from harness.runtime.leftovers import clean_dead_sessions


def clean() -> int:
    """Remove what dead sessions left behind; living ones are left alone."""
    console = Console()
    found = clean_dead_sessions()
    if not found.sessions:
        console.print(" nothing to clean: no dead session left anything behind")
    else:
        console.print(f" removed {len(found.sessions)} dead sessions, {found.killed} processes killed")
    return 3 if found.left else 0
