"""``harness images build``."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from harness.cli.options import StackFile, console_for_people
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import variables
from harness.images.building import build_images, must_be_offline
from harness.images.engine import connected
from harness.report.terminal import TerminalProgress
from harness.runtime.cache import cache_directory
from harness.stack.stack import load_stack

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="The images to build; all by default.")]
Offline = Annotated[
    bool | None,
    typer.Option(
        "--offline/--online",
        help="Make bases and packages here, or have the engine take them from registries; tried out by default.",
        show_default=False,
    ),
]


def build(names: Names = None, offline: Offline = None, stack: StackFile = DEFAULT_STACK) -> int:
    """Build the images that are missing or older than their sources."""
    described = load_stack(stack, variables(os.environ, 0))
    cache = cache_directory(described.project)
    progress = TerminalProgress(console_for_people())
    started = time.monotonic()
    try:
        progress.at_work("building images …")
        with connected() as engine:
            if offline is None:
                offline = must_be_offline(engine, cache, progress.line)
            built = build_images(described, names or [], engine, cache, offline=offline, say=progress.line)
    finally:
        progress.done()
    progress.line(f"{len(built) or 'none'} built in {time.monotonic() - started:.1f} s")
    return 0
