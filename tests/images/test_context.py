"""Which files a build is made from, and what that makes of its digest and its context."""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.images.context import Entry, digest_of, entries_of, pack
from harness.stack.container import Build


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A build that takes one file and one folder of a project with more in it."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "Dockerfile").write_text("FROM scratch\nCOPY app.py extra* /\nCOPY package /package\n")
    (tmp_path / "app.py").write_text("print(1)\n")
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "inner" / "data.txt").write_text("1\n")
    (tmp_path / "other.txt").write_text("not of this image\n")
    return Build(tmp_path, "images/Dockerfile", {"VERSION": "1"})


def test_entries_are_the_dockerfile_and_what_it_takes(build: Build) -> None:
    """Nothing else is sent to the engine."""
    names = [entry.name for entry in entries_of(build)]
    assert names == ["app.py", "images/Dockerfile", "package", "package/inner", "package/inner/data.txt"]


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "app.py").write_text("print(2)\n"),
        lambda root: (root / "app.py").chmod(0o755),
        lambda root: (root / "extra.txt").write_text("new\n"),
        lambda root: (root / "package" / "inner" / "data.txt").unlink(),
        lambda root: (root / "package" / "inner" / "data.txt").rename(root / "package" / "data.txt"),
        lambda root: (root / "images" / "Dockerfile").write_text("FROM scratch\nCOPY app.py package /\n"),
    ],
    ids=["content", "mode", "added", "removed", "moved", "dockerfile"],
)
def test_digest_changes_with_what_is_taken(build: Build, change: Callable[[Path], object]) -> None:
    """An image that is older than its sources is recognised by it."""
    before = digest_of(build)
    change(build.context)
    assert digest_of(build) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "other.txt").write_text("changed\n"),
        lambda root: os.utime(root / "app.py", (1, 1)),
        lambda root: (root / "package" / "__pycache__").mkdir() or (root / "package" / "__pycache__" / "x.pyc").touch(),
        lambda root: (
            (root / ".dockerignore").write_text("package/secret\n") and (root / "package" / "secret").write_text("x")
        ),
    ],
    ids=["other-file", "time", "bytecode", "ignored"],
)
def test_digest_stays_with_everything_else(build: Build, change: Callable[[Path], object]) -> None:
    """Nothing is built again for what is not in the image."""
    before = digest_of(build)
    change(build.context)
    assert digest_of(build) == before


def test_digest_changes_with_arguments_but_not_with_the_base(build: Build) -> None:
    """Which base a machine has is its own affair: the image is as fresh on either."""
    version = dataclasses.replace(build, args={"VERSION": "2"})
    base = dataclasses.replace(build, args={"VERSION": "1", "BASE_IMAGE": "local/base"})
    assert digest_of(version) != digest_of(build)
    assert digest_of(base) == digest_of(build)


def test_pack_gives_equal_bytes_for_equal_content(build: Build) -> None:
    """The engine's cached layers are found again when only the files' times changed."""

    def packed() -> bytes:
        file = io.BytesIO()
        pack(entries_of(build), file)
        return file.getvalue()

    before = packed()
    os.utime(build.context / "app.py", (1, 1))
    assert packed() == before
    with tarfile.open(fileobj=io.BytesIO(before)) as archive:
        assert archive.extractfile("app.py").read() == b"print(1)\n"  # type: ignore[union-attr]  # it is a file


def test_pack_follows_names_in_the_context(tmp_path: Path) -> None:
    """What was prepared elsewhere stands where the Dockerfile looks for it."""
    made = tmp_path / "cache" / "server"
    made.parent.mkdir()
    made.write_bytes(b"ELF")
    file = io.BytesIO()
    pack([Entry("images/server", made)], file)
    with tarfile.open(fileobj=file) as archive:
        assert archive.getnames() == ["images/server"]
