"""How the driver of a library is started, in the environment that is made for it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.ibkr_gateway.conformance.environments import (
    environment,
    lock_of,
    node_modules,
    rust_program,
    sources_of,
)
from tests.ibkr_gateway.conformance.libraries import LIBRARIES, Language

_TOOLS = {Language.PYTHON: (), Language.NODE: ("node", "npm"), Language.RUST: ("cargo",)}


@dataclass(frozen=True, slots=True)
class DriverCommand:
    """A program and its arguments.

    Args:
        arguments: the program first.
        variables: what stands in its environment besides.
    """

    arguments: tuple[str, ...]
    variables: Mapping[str, str]


def missing_tools(library: str) -> list[str]:
    """Return the programs that a library needs and this machine lacks."""
    return [tool for tool in _TOOLS[LIBRARIES[library].language] if shutil.which(tool) is None]


def driver_command(library: str) -> DriverCommand:
    """Make what a library needs, and say how its driver is started.

    Raises:
        MakingFailed: that could not be made.
    """
    match LIBRARIES[library].language:
        case Language.PYTHON:
            return python_driver(environment(library, lock_of(library)), library)
        case Language.NODE:
            sources = sources_of(library)
            modules = node_modules(library, sources)
            return DriverCommand(("node", str(sources / "driver.cjs")), {"NODE_PATH": str(modules)})
        case Language.RUST:
            return DriverCommand((str(rust_program(library, sources_of(library))),), {})


def python_driver(python: Path, library: str) -> DriverCommand:
    """Say how a driver that is written in Python is started with an interpreter."""
    # The drivers are a package of their own there: a library they need brings another one named tests.
    return DriverCommand((str(python), "-m", f"drivers.client_{library}"), {"PYTHONPATH": str(Path(__file__).parent)})
