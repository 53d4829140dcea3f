"""The directory with the output of everything that a stack runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.stack.link import Link


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
