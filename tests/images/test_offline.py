"""What is made before an offline build, with programs of this machine; here stand-ins of them that fail on purpose."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SetUpError
from harness.images import base, environment, packages
from harness.images.building import must_be_offline
from harness.images.engine import ImageEngine
from harness.runtime.toxiproxy.build import UV_VARIABLE

_OFFICIAL = "python:3.11-slim-bookworm"
# Fetches one package and its program, and counts how often it was asked.
_UV = """
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/bin" "$2/one-1.dist-info"
echo asked >> {log}
"""

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A way to put a program on PATH, before all others."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def put(name: str, script: str) -> Path:
        made = folder / name
        made.write_text(f"#!/bin/sh\n{script}\n")
        made.chmod(0o755)
        return made

    return put


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A requirements file."""
    (tmp_path / "app").mkdir()
    path = tmp_path / "app" / "requirements.txt"
    path.write_text("one==1\n")
    return path


def test_packages_are_fetched_once(
    program: Program, requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And again only when the requirements change; what the old ones asked for is gone then."""
    log = tmp_path / "log"
    monkeypatch.setenv(UV_VARIABLE, str(program("uv", _UV.format(log=log))))
    first = packages.fetch(requirements, tmp_path)
    assert packages.fetch(requirements, tmp_path) == first
    # Programs would name this machine's Python.
    assert [path.name for path in first.iterdir()] == ["one-1.dist-info"]
    requirements.write_text("one==2\n")
    assert packages.fetch(requirements, tmp_path) != first
    assert not first.exists()
    assert log.read_text().split() == ["asked", "asked"]


def test_packages_that_cannot_be_fetched_are_one_line(
    program: Program, requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and nothing half-made is taken for packages the next time."""
    monkeypatch.setenv(UV_VARIABLE, str(program("uv", "echo resolving >&2; echo no such package: one >&2; exit 1")))
    with pytest.raises(SetUpError, match=r"^fetching the packages of .*: no such package: one$") as caught:
        packages.fetch(requirements, tmp_path)
    assert "resolving" in caught.value.evidence
    monkeypatch.setenv(UV_VARIABLE, str(program("uv", _UV.format(log=tmp_path / "log"))))
    assert (packages.fetch(requirements, tmp_path) / "one-1.dist-info").is_dir()


@pytest.mark.docker
@pytest.mark.parametrize(
    ("said", "told"),
    [("E: cannot fetch packages", "failed: E: cannot fetch packages"), ("E: No space left on device", "disk is full")],
    ids=["network", "disk"],
)
def test_base_that_cannot_be_made_is_one_line(
    program: Program, engine: ImageEngine, tmp_path: Path, said: str, told: str
) -> None:
    """With the reason, and nothing is left of it."""
    program("mmdebstrap", f"echo {said} >&2; exit 1")
    unknown = replace(base.PYTHON, name=f"image-test-base:{uuid.uuid4().hex[:8]}")
    with pytest.raises(SetUpError, match=told) as caught:
        base.ensure(unknown, engine, tmp_path)
    assert "\n" not in str(caught.value)
    assert engine.find(unknown.name) is None
    assert not list(tmp_path.glob("base-*"))


@pytest.mark.docker
def test_offline_is_kept_once_it_was_decided(engine: ImageEngine, tmp_path: Path) -> None:
    """The registry is not asked again and again; and never when the official base is there."""
    environment.write(tmp_path, {"PYTHON_IMAGE": base.PYTHON.name})
    said: list[str] = []
    is_there = engine.find(_OFFICIAL) is not None
    assert must_be_offline(engine, tmp_path, said.append) is not is_there
    assert any("--online" in line for line in said) is not is_there


def test_names_of_images_are_read_as_they_were_written(tmp_path: Path) -> None:
    """By the harness and by Compose's --env-file; without a build there are none."""
    assert environment.read(tmp_path) == {}
    environment.write(tmp_path, {"PYTHON_IMAGE": "local/python:3.11"})
    assert environment.path_in(tmp_path).read_text() == "PYTHON_IMAGE=local/python:3.11\n"
    assert environment.read(tmp_path) == {"PYTHON_IMAGE": "local/python:3.11"}
