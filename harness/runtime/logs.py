"""The files with the output of everything that a stack runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.stack.link import Link

_TAIL_BYTES_PER_LINE = 400
_HEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log as it lies there at a moment.

    Args:
        inode: which file it is: another one under the same name has another.
        size_bytes: how long it is.
        head: its first bytes, which stay the same for as long as it is only appended to.
    """

    inode: int
    size_bytes: int
    head: bytes


class LogDirectory:
    """A file for each service, and one for each link's Toxiproxy.

    Args:
        path: the directory; `make` makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make it, if it is not there."""
        self.path.mkdir(exist_ok=True)

    def of_service(self, name: str) -> Path:
        """The file with a service's output."""
        return self.path / f"{name}.log"

    def of_link(self, link: Link) -> Path:
        """The file with the output of a link's Toxiproxy."""
        return self.path / f"toxiproxy.{link.slug}.log"

    def files(self) -> Mapping[str, Path]:
        """Every file that the report should keep, by the name that it gets there; none where there is no directory."""
        try:
            return {path.name: path for path in sorted(self.path.iterdir()) if path.is_file()}
        except FileNotFoundError:
            return {}

    def seen(self) -> Mapping[str, LogFile]:
        """Every file as it lies there now, by its name."""
        found: dict[str, LogFile] = {}
        for name, path in self.files().items():
            # One that went away just now is none of them.
            with suppress(FileNotFoundError), path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
                state = os.fstat(file.fileno())
                found[name] = LogFile(state.st_ino, state.st_size, head)
        return found


def size_of(output: Path) -> int:
    """How long a file is, in bytes; one that does not exist is empty."""
    try:
        return output.stat().st_size
    except FileNotFoundError:
        return 0


def tail(output: Path, lines: int = 20) -> str:
    """Give the last lines of a file.

    Args:
        output: the file; one that does not exist is empty.
        lines: at most so many.
    """
    try:
        with output.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - lines * _TAIL_BYTES_PER_LINE))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
