"""What a Toxiproxy server logs of its link: kept in a file, and read for the connections that it accepted.

The log's own times are whole seconds, so each line is given the time at which it was read: a thread reads the
server's output through a pipe as it comes. A thread rather than the event loop, for a full pipe would stop the link.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from harness.runtime.toxiproxy.accepted import Accepted
from harness.runtime.toxiproxy.link_use import LinkUse, Moved
from harness.runtime.toxiproxy.probe_ports import ProbePorts

_ACCEPTED = b'"message":"Accepted client"'
_NO_SERVER = b'"message":"Unable to open connection to upstream"'
_STARTED = b'"message":"Started proxy"'
_ENDED = b'"message":"RemoveConnection '
_BEGAN = b'"message":"Starting Toxiproxy"'
_ALL_ENDED = (b'"message":"Terminated proxy"', _BEGAN)
_MOVED = b'"message":"Bytes moved"'
_JOIN_DEADLINE_S = 2.0


class LinkLog:
    """The log of one link, over all servers that it has had.

    Args:
        path: the file that it is kept in.

    Source: ``proxy.go`` of Toxiproxy 2.12 (level info and error; ``client`` is the address of the accepted peer), and
    ``link.go`` (level trace; each direction of a connection is removed at its end, under the client's address).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.probe_ports = ProbePorts()
        self.accepted: list[Accepted] = []
        self.open: dict[str, Accepted] = {}
        self.starts = 0
        self._uses: list[LinkUse] = []
        # Of the present server: by the connection's number, where it stands among the uses; by its client, the latest.
        self._place_of: dict[int, int] = {}
        self._latest: dict[str, Accepted] = {}
        self._readers: list[threading.Thread] = []

    def attach(self) -> int:
        """Give the descriptor that a new server writes its output to; the caller closes it once it is passed on."""
        reading, writing = os.pipe()
        reader = threading.Thread(target=self._read, args=(reading,), name=f"log-{self.path.stem}", daemon=True)
        reader.start()
        self._readers = [each for each in self._readers if each.is_alive()] + [reader]
        return writing

    def join(self) -> None:
        """Wait until what dead servers wrote is read."""
        for reader in self._readers:
            reader.join(_JOIN_DEADLINE_S)

    @property
    def uses(self) -> tuple[LinkUse, ...]:
        """What the witness has told of each connection so far; nothing where the server has none."""
        return tuple(self._uses)

    def _read(self, reading: int) -> None:
        rest = b""
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while chunk := os.read(reading, 65536):
                at_mono_s = time.monotonic()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    # A line that is cut off tells nothing, and must not end the reading of those behind it.
                    with suppress(ValueError, KeyError):
                        self._note(line, at_mono_s)
                self._keep(file, chunk)
        finally:
            os.close(file)
            os.close(reading)

    def _note(self, line: bytes, at_mono_s: float) -> None:
        if _MOVED in line:
            self._note_use(Moved.model_validate_json(line), at_mono_s)
        elif _ACCEPTED in line:
            client = _text(line, "client")
            host, _, port = client.rpartition(":")
            accepted = Accepted(at_mono_s, host, int(port), self.probe_ports.take(int(port)))
            self.open[client] = self._latest[client] = accepted
            self.accepted.append(accepted)
        elif _NO_SERVER in line:
            self.open.pop(_text(line, "client"), None)
        elif _ENDED in line:
            # With the first direction the other ends too: Toxiproxy closes both ends whole.
            self.open.pop(_text(line, "link").removesuffix("upstream").removesuffix("downstream"), None)
        elif any(told in line for told in _ALL_ENDED):
            self.open.clear()
            if _BEGAN in line:
                self._place_of.clear()
                self._latest.clear()
        elif _STARTED in line:
            self.starts += 1

    def _note_use(self, moved: Moved, at_mono_s: float) -> None:
        place = self._place_of.get(moved.connection)
        if place is None:
            self._place_of[moved.connection] = len(self._uses)
            self._uses.append(LinkUse.of(self._latest[moved.client], moved, at_mono_s))
        else:
            self._uses[place] = LinkUse.of(self._uses[place].accepted, moved, at_mono_s)

    @staticmethod
    def _keep(file: int, chunk: bytes) -> None:
        try:
            os.write(file, chunk)
        except OSError:
            return  # a full disk must not stop the link: what was noted counts, the file is for people


def _text(line: bytes, key: str) -> str:
    return str(json.loads(line)[key])
