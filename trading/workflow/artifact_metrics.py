"""What became of artifacts, counted: in one task, and added up over the tasks of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class ArtifactMetrics:
    """How many artifacts, or attempts.

    Args:
        stored: the backend took them when they were made.
        retried: attempts that were followed by another.
        spooled: they were put into the spool.
        replayed: the backend took them out of the spool.
        dead: they were put to the dead letters.
    """

    stored: int = 0
    retried: int = 0
    spooled: int = 0
    replayed: int = 0
    dead: int = 0

    def __add__(self, other: ArtifactMetrics) -> ArtifactMetrics:
        """Add up two tasks."""
        mine, theirs = self.values(), other.values()
        return ArtifactMetrics(**{name: mine[name] + theirs[name] for name in mine})

    def values(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)
