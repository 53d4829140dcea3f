"""What is to be taken back in an engine should the harness die over it: a file that the session's clean-up carries out.

Only a stack that outlives the session needs one. Standard library only: the reaper reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

UNDO_FILE = "undo-log.json"
"""Its name in the session's directory."""

_REFUSED_FROM = 400
_GONE = 404
# What an engine says when all is as the step would make it: a service that does not stand still is not resumed.
_NOTHING_TO_DO = ("is not paused", "already paused", "not in a paused state", "is already running")


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
        self._file = directory / UNDO_FILE
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
        _write_whole(self._file, every)


def carry_out(directory: Path, api: Asked) -> tuple[str, ...]:
    """Carry out the undo log of a dead session; a step that the engine refuses stays in it, for the next try.

    Args:
        directory: the session's directory.
        api: the engine's API.

    Returns:
        What was refused, each with the reason.
    """
    file = directory / UNDO_FILE
    try:
        steps = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    refused = {index: why for index, each in enumerate(steps) if (why := _refused(each, api))}
    try:
        if refused:
            _write_whole(file, [steps[index] for index in refused])
        else:
            file.unlink()
    except OSError:
        return tuple(refused.values())  # no room for less: what is done already can be done again
    return tuple(refused.values())


def _refused(step: Mapping[str, Any], api: Asked) -> str:
    """Carry out one step; why the engine did not, or nothing."""
    path = str(step["path"])
    try:
        status, said = api.ask("POST", path, step["body"])
        if path.endswith("/exec") and isinstance(said, dict) and "Id" in said:
            status, said = _run(str(said["Id"]), api)
    except OSError as cause:
        return f"POST {path}: {cause}"
    if status < _REFUSED_FROM or status == _GONE or any(told in str(said) for told in _NOTHING_TO_DO):
        return ""
    return f"POST {path}: {status} {said}"


def _run(execution: str, api: Asked) -> tuple[int, object]:
    status, said = api.ask("POST", f"/exec/{execution}/start", {"Detach": False, "Tty": True})
    if status >= _REFUSED_FROM:
        return status, said
    status, said = api.ask("GET", f"/exec/{execution}/json")
    code = said.get("ExitCode") if isinstance(said, dict) else None
    return (_REFUSED_FROM, f"its command ended with {code}") if code else (status, said)


def _write_whole(file: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps(steps), encoding="utf-8")
    unfinished.replace(file)
