"""What is sent to the engine for a build: the files that the Dockerfile takes, and nothing else."""

from __future__ import annotations

import hashlib
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from docker.utils.build import exclude_paths

from harness.images.dockerfile import copied_sources
from harness.stack.container import Build

# Never part of an image, also where the .dockerignore does not name them: they differ from machine to machine.
_NEVER = ("**/__pycache__", "**/*.pyc")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory of a context: what it is called there, and where it lies here."""

    name: str
    path: Path


def sources_of(build: Build) -> tuple[str, ...]:
    """Give the patterns of what the build's Dockerfile takes from its context."""
    return copied_sources((build.context / build.dockerfile).read_text(encoding="utf-8"))


def entries_of(build: Build) -> list[Entry]:
    """Find the Dockerfile, and all that it takes, in the order of their names.

    Raises:
        OSError: the context or its Dockerfile cannot be read.
    """
    sources = sources_of(build)
    ignored = build.context / ".dockerignore"
    patterns = ignored.read_text(encoding="utf-8").splitlines() if ignored.exists() else []
    kept = exclude_paths(str(build.context), [*patterns, *_NEVER], dockerfile=build.dockerfile)
    names = {name for name in kept if any(_is_taken(name, source) for source in sources)} | {build.dockerfile}
    return [Entry(name, build.context / name) for name in sorted(names)]


def _is_taken(name: str, source: str) -> bool:
    if source == ".":
        return True
    wanted, parts = PurePosixPath(source).parts, PurePosixPath(name).parts
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def digest_of(build: Build) -> str:
    """Give the digest of everything that an image is made from, but for its base, which a machine chooses.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    arguments = [f"{name}={value}" for name, value in sorted(build.args.items()) if name != "BASE_IMAGE"]
    for text in (build.dockerfile, build.target or "", *arguments):
        digest.update(f"{text}\0".encode())
    for entry in entries_of(build):
        if not entry.path.is_dir():
            executable = bool(entry.path.stat().st_mode & stat.S_IXUSR)
            digest.update(f"{entry.name}\0{executable}\0".encode())
            digest.update(hashlib.sha256(entry.path.read_bytes()).digest())
    return digest.hexdigest()


def tree(name: str, path: Path) -> Iterator[Entry]:
    """Give a file, or a directory and all that is in it, as entries.

    Args:
        name: what it is to be called in the context.
        path: where it lies.
    """
    yield Entry(name, path)
    if path.is_dir():
        for each in sorted(path.rglob("*")):
            yield Entry(f"{name}/{each.relative_to(path).as_posix()}", each)


def pack(entries: Iterable[Entry], file: BinaryIO) -> None:
    """Write a context as a tar; owners and times are left out, so that equal content finds the engine's cached layers.

    Args:
        entries: what it holds.
        file: where to write; its position is at the start afterwards.

    Raises:
        OSError: a file cannot be read, or there is no room.
    """
    with tarfile.open(fileobj=file, mode="w") as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            status = entry.path.stat()
            info.mode = 0o755 if entry.path.is_dir() or status.st_mode & stat.S_IXUSR else 0o644
            if entry.path.is_dir():
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = status.st_size
                with entry.path.open("rb") as content:
                    archive.addfile(info, content)
    file.seek(0)
