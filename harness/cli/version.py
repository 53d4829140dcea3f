"""``harness --version``: which of the programs that a drill rests on are here."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import requests
import typer
from docker.errors import DockerException

from harness.drill.again import DEFAULT_STACK
from harness.errors import SetUpError
from harness.runtime.cache import cache_directory
from harness.runtime.docker.engine import Engine
from harness.runtime.toxiproxy.build import find, version_of

_PACKAGE = "trading-workflow-drills"
_AIRFLOW = "apache-airflow"
_NOT_INSTALLED = "not installed"
# An engine on this machine answers within milliseconds; one that hangs is not waited for.
_ENGINE_DEADLINE_S = 2
_WENT_AWAY = (DockerException, requests.RequestException, OSError)


def show_versions(wanted: bool) -> None:  # noqa: FBT001 - a flag of the command line
    """Print one line a program and end, when it is wanted."""
    if wanted:
        for name, text in versions(Path.cwd() / DEFAULT_STACK):
            typer.echo(f"{name:<10} {text}")
        raise typer.Exit


def versions(stack: Path) -> Iterator[tuple[str, str]]:
    """Each program and its version, or why there is none.

    Args:
        stack: the compose file, beside whose cache Toxiproxy is looked for.
    """
    yield "harness", _of_package(_PACKAGE)
    yield "Python", platform.python_version()
    yield "Airflow", _of_package(_AIRFLOW)
    yield "Toxiproxy", _of_toxiproxy(stack)
    yield "engine", _of_engine()


def _of_package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return _NOT_INSTALLED


def _of_toxiproxy(stack: Path) -> str:
    try:
        server = find(cache_directory(stack.parent))
    except SetUpError as cause:
        return f"none: {cause}"
    if server is None:
        return f"{_NOT_INSTALLED}: the first drill as local processes builds it"
    return f"{version_of(server) or 'says no version'} ({server})"


def _of_engine() -> str:
    try:
        engine = Engine.find(_ENGINE_DEADLINE_S)
    except (SetUpError, *_WENT_AWAY) as cause:
        return f"none: {cause}"
    try:
        said = engine.client.version()
        # Podman names itself among its components; Docker's own is called Engine.
        names = [str(each.get("Name", "")) for each in said.get("Components") or []]
        kind = "Podman" if any("podman" in name.lower() for name in names) else "Docker"
        return f"{kind} {said.get('Version', 'of no version')} ({engine.address})"
    except _WENT_AWAY as cause:
        return f"none: {engine.address} went away: {cause}"
    finally:
        engine.close()
