"""What is to be taken back in an engine should the harness die over it: a file of the session, for whoever cleans up.

Only a stack that outlives the session needs one. Standard library only: the reaper reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

_FILE = "last-will.json"


@dataclass(frozen=True, slots=True)
class Request:
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
    """The will of one session.

    Args:
        directory: the session's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._requests: dict[str, tuple[Request, ...]] = {}

    def note(self, key: str, requests: Sequence[Request]) -> None:
        """Have these requests made if the harness dies before they are forgotten.

        Args:
            key: under which they are forgotten.
            requests: in the order in which they are made.
        """
        self._requests[key] = tuple(requests)
        self._write()

    def forget(self, key: str) -> None:
        """The harness has done it itself."""
        if self._requests.pop(key, None) is not None:
            self._write()

    def _write(self) -> None:
        # The latest first: what was done on top of something else is taken back before it.
        every = [asdict(each) for requests in reversed(self._requests.values()) for each in requests]
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps(every), encoding="utf-8")
        unfinished.replace(self._file)


def carry_out(directory: Path, api: Asked) -> None:
    """Make the requests of a dead session's will; one that the engine refuses is passed over.

    Args:
        directory: the session's directory.
        api: the engine's API.
    """
    try:
        requests = json.loads((directory / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for each in requests:
        try:
            _, made = api.ask("POST", each["path"], each["body"])
            if each["path"].endswith("/exec") and isinstance(made, dict) and "Id" in made:
                api.ask("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": True})
        except OSError:
            continue
