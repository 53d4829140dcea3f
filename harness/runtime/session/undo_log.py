"""What is to be taken back in an engine should the harness die over it: a file that the session's clean-up carries out.

Only a stack that outlives the session needs one. Standard library only: the reaper reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

_FILE = "undo-log.json"


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One request to the engine's API that takes something back; a path that ends in ``/exec`` runs a command.

    Args:
        path: what is posted to.
        body: what is posted.
    """

    path: str
    body: Mapping[str, object] | None = None


class Asked(Protocol):
    """The engine's API."""

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, object]:
        """One call: its status, and the JSON that came."""


class UndoLog:
    """The undo log of one session.

    Args:
        directory: the session's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._steps: dict[str, tuple[UndoStep, ...]] = {}

    def note(self, key: str, steps: Sequence[UndoStep]) -> None:
        """Have these steps made if the harness dies before they are forgotten.

        Args:
            key: under which they are forgotten.
            steps: in the order in which they are made.
        """
        self._steps[key] = tuple(steps)
        self._write()

    def forget(self, key: str) -> None:
        """The harness has done it itself."""
        if self._steps.pop(key, None) is not None:
            self._write()

    def _write(self) -> None:
        # The latest first: what was done on top of something else is taken back before it.
        every = [asdict(each) for steps in reversed(self._steps.values()) for each in steps]
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps(every), encoding="utf-8")
        unfinished.replace(self._file)


def carry_out(directory: Path, api: Asked) -> None:
    """Carry out the undo log of a dead session; a step that the engine refuses is passed over.

    Args:
        directory: the session's directory.
        api: the engine's API.
    """
    try:
        steps = json.loads((directory / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for each in steps:
        try:
            _, made = api.ask("POST", each["path"], each["body"])
            if each["path"].endswith("/exec") and isinstance(made, dict) and "Id" in made:
                api.ask("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": True})
        except OSError:
            continue
