"""A driver in a process of its own, in its library's environment, asked line by line."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from tests.ibkr_gateway.conformance.driver_command import DriverCommand

_SHOWN_CHARACTERS = 3000
_END_S = 10.0


class DriverFailed(Exception):
    """A driver did not answer at all; the message holds what it said last and what it logged."""


class CallFailed(Exception):
    """A driver answered that its library raised something.

    Args:
        kind: the exception's name.
        text: its message.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class DriverProcess:
    """The process; it ends with its standard input.

    Args:
        library: which driver.
        command: how it is started.
        log: the file that its standard error goes to.
    """

    def __init__(self, library: str, command: DriverCommand, log: Path) -> None:
        self._library = library
        self._log = log
        self._last = "nothing"
        self._numbers = itertools.count(1)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        with log.open("wb") as errors:
            self._popen = subprocess.Popen(
                command.arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                env={**os.environ, **command.variables},
            )
        self._reader = threading.Thread(target=self._read, name=f"answers of {library}")
        self._reader.start()

    def ask(self, command: str, arguments: dict[str, Any], deadline_s: float) -> Any:
        """Send a command and return the result.

        Raises:
            CallFailed: the library raised something.
            DriverFailed: there was no answer in time.
        """
        assert self._popen.stdin is not None
        number = next(self._numbers)
        try:
            self._popen.stdin.write(json.dumps({"number": number, "command": command, "arguments": arguments}) + "\n")
            self._popen.stdin.flush()
            answer = self._answer(number, time.monotonic() + deadline_s)
        except (OSError, queue.Empty) as error:
            raise DriverFailed(self._evidence(f"no answer to {command} within {deadline_s:g} s")) from error
        if answer is None:
            raise DriverFailed(self._evidence(f"ended before it answered {command}"))
        if "error" in answer:
            raise CallFailed(answer["error"], answer["text"])
        return answer["result"]

    def end(self) -> None:
        """End the process, and fail if it does not go by itself."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        try:
            self._popen.stdin.close()
            code = self._popen.wait(_END_S)
        except (OSError, subprocess.TimeoutExpired):
            self._popen.kill()
            code = self._popen.wait(_END_S)
        self._reader.join(_END_S)
        self._popen.stdout.close()
        assert code == 0, self._evidence(f"ended with code {code}")

    def _answer(self, number: int, ends_s: float) -> dict[str, Any] | None:
        """Return the answer to that command, past those that came too late; None if the process has ended."""
        while line := self._lines.get(timeout=max(0.0, ends_s - time.monotonic())):
            self._last = line.strip()
            answer: dict[str, Any] = json.loads(line)
            if answer["number"] == number:
                return answer
        return None

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _evidence(self, what: str) -> str:
        log = self._log.read_text(encoding="utf-8", errors="replace")[-_SHOWN_CHARACTERS:]
        return f"the driver of {self._library}: {what}; it last said {self._last[-_SHOWN_CHARACTERS:]}; its log:\n{log}"
