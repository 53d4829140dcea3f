"""Which defect the processes of a local stack have now, and what they tell of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path


class SaboteurSwitch:
    """A file that names the saboteur, for the hook to read, and a folder for its proof that it was at work.

    Args:
        directory: the session's.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "saboteur"
        self._acts = directory / "acts"

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells the hook of both."""
        return {"SABOTEUR_FILE": str(self._file), "SABOTEUR_ACTS": str(self._acts)}

    def turn(self, name: str) -> None:
        """Have every process that begins or is forked from now on planted with this defect; with none when empty."""
        self._file.write_text(name, encoding="utf-8")
        shutil.rmtree(self._acts, ignore_errors=True)
        self._acts.mkdir()

    def forget_runs(self) -> None:
        """Have the next run count as the first, which some defects leave whole."""
        (self._acts / "first-run").unlink(missing_ok=True)

    def notes(self) -> str:
        """What was told since the turn: a line of JSON for each planting, and each process in which it was at work."""
        file = self._acts / "acts.jsonl"
        return file.read_text(encoding="utf-8") if file.exists() else ""
