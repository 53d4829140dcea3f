"""What an image's programs import of the project is in the image; its Dockerfile names each file that it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drill.description import describe
from harness.images.context import entries_of
from harness.stack.container import Build

PROJECT = Path(__file__).parents[2]
OURS = ("fixtures", "trading")
BUILDS = {
    service.container.image: service.container.build
    for service in describe(PROJECT / "docker-compose.test.yml", seed=0).services.values()
    if service.container is not None and service.container.build is not None
}


def imported(file: Path) -> Iterator[str]:
    """The modules of the project that a file imports, and what it imports from them, which may be modules, too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def missing(build: Build) -> list[str]:
    """The imports that an image cannot resolve, although the project could."""
    taken = {entry.name for entry in entries_of(build)}
    lacking: set[str] = set()
    for name in taken:
        if name.endswith(".py") and name.startswith(OURS):
            modules = [module for module in imported(PROJECT / name) if module.split(".")[0] in OURS]
            paths = [module.replace(".", "/") for module in modules]
            files = [file for path in paths for file in (f"{path}.py", f"{path}/__init__.py")]
            lacking |= {f"{file}, for {name}" for file in files if (PROJECT / file).is_file() and file not in taken}
    return sorted(lacking)


@pytest.mark.parametrize("image", BUILDS)
def test_image_has_what_its_programs_import(image: str) -> None:
    """Else its container ends at once, which only a test with an engine would see."""
    assert missing(BUILDS[image]) == []
