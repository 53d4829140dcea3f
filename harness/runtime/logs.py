"""The files with the output of everything that a stack runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.stack.link import Link

_TAIL_BYTES_PER_LINE = 400


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
        """Every file that the report should keep, by the name that it gets there."""
        return {path.name: path for path in sorted(self.path.iterdir()) if path.is_file()}


def size_of(output: Path) -> int:
    """How long a file is, in bytes; one that does not exist is empty."""
    return output.stat().st_size if output.exists() else 0


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
