"""What a run of the operations has found: the table of docs/gateway-stub.md, and the sessions that are replayed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

from tests.ibkr_gateway.conformance.expected_failures import expected_failure
from tests.ibkr_gateway.conformance.libraries import LIBRARIES
from tests.ibkr_gateway.conformance.operations import OPERATIONS
from tests.ibkr_gateway.recorded_session import Connection, RecordedSession, write_sessions

_BEGIN, _END = "<!-- clients: begin -->\n", "<!-- clients: end -->"
# It resets the gateway in between, which a replay does not.
_NOT_REPLAYED = {"order while disconnected"}


class Records:
    """Collects what works, by library and operation."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._works: set[tuple[str, str]] = set()
        self._sessions: defaultdict[str, list[RecordedSession]] = defaultdict(list)

    def note(self, library: str, operation: str, server_version: int, connections: list[Connection]) -> None:
        """Enter an operation that came out as it should."""
        self._versions[library] = server_version
        self._works.add((library, operation))
        if operation not in _NOT_REPLAYED:
            session = RecordedSession(library=library, operation=operation, connections=tuple(connections))
            self._sessions[library].append(session)

    def write(self, page: Path) -> None:
        """Put the table between the markers of the page, and the sessions in their files.

        Args:
            page: the page of the gateway stub.
        """
        before, rest = page.read_text(encoding="utf-8").split(_BEGIN)
        _, after = rest.split(_END)
        page.write_text(f"{before}{_BEGIN}{self.table(date.today().isoformat())}{_END}{after}", encoding="utf-8")  # noqa: DTZ011 - the day on which it is written, here
        for library, sessions in self._sessions.items():
            write_sessions(library, sessions)

    def table(self, day: str) -> str:
        """Return the table as text.

        Args:
            day: when the operations were run.
        """
        names = list(LIBRARIES)
        titles = [f"{LIBRARIES[name].title} at {self._versions.get(name, 'no version')}" for name in names]
        lines = [f"As of {day}; behind each client the server version that was negotiated.", ""]
        lines += [_row(["operation", *titles]), _row(["---"] * (len(names) + 1))]
        reasons: dict[str, int] = {}
        for operation in OPERATIONS:
            cells = [self._cell(operation.name, name, reasons) for name in names]
            lines.append(_row([operation.name, *cells]))
        lines += ["", *(f"{number}. {reason}" for reason, number in reasons.items())]
        return "\n".join(lines) + "\n"

    def _cell(self, operation: str, library: str, reasons: dict[str, int]) -> str:
        if (library, operation) in self._works:
            return "yes"
        reason = expected_failure(operation, library) or "it failed when the table was written"
        return f"no ({reasons.setdefault(reason, len(reasons) + 1)})"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
