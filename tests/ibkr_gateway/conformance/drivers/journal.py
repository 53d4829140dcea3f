"""What the gateway told a client without being asked, and a way to wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .terms import Execution, Fault, Position, Progress


@dataclass(slots=True)
class Journal:
    """Everything since the connect; touched in the event loop only."""

    faults: list[Fault] = field(default_factory=list)
    progress: dict[int, list[Progress]] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    commissioned: set[str] = field(default_factory=set)
    positions: dict[str, Position] = field(default_factory=dict)
    is_over: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def note_change(self) -> None:
        """Let the threads that wait look again."""
        self._changed.set()

    def note_progress(self, order_id: int, progress: Progress) -> None:
        """Enter where an order stands, unless it stood there before."""
        known = self.progress.setdefault(order_id, [])
        if known[-1:] != [progress]:
            known.append(progress)
        self.note_change()

    def note_execution(self, execution: Execution) -> None:
        """Enter a fill, whose commission is told later."""
        self.executions.setdefault(execution.exec_id, execution)
        self.note_change()

    def note_commission(self, exec_id: str, commission: float, currency: str, realized_pnl: float) -> None:
        """Enter what a fill has cost; that of a fill of another client is not ours to know."""
        if known := self.executions.get(exec_id):
            self.executions[exec_id] = replace(
                known, commission=commission, commission_currency=currency, realized_pnl=realized_pnl
            )
            self.commissioned.add(exec_id)
        self.note_change()

    def fills(self, order_id: int) -> list[Execution]:
        """Return the fills of an order whose commission is known."""
        return [
            execution
            for exec_id, execution in self.executions.items()
            if execution.order_id == order_id and exec_id in self.commissioned
        ]

    async def until(self, holds: Callable[[], object], what: str, deadline_s: float) -> None:
        """Return as soon as a condition holds.

        Raises:
            TimeoutError: the deadline has passed.
            ConnectionError: the connection ended first.
        """
        try:
            async with asyncio.timeout(deadline_s):
                while not holds():
                    if self.is_over:
                        raise ConnectionError(f"{what}: the connection ended before; {self}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"{what}: not within {deadline_s:g} s; {self}") from None


class Complaints(logging.Handler):
    """Collects what a library logs when it cannot make sense of a message, for it raises nothing then.

    Args:
        loggers: names of the library's loggers that speak about messages it received.
    """

    def __init__(self, *loggers: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        for name in loggers:
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep errors, and the line that the official client logs as mere information when fields are missing."""
        if record.levelno >= logging.ERROR or record.getMessage() == "BadMessage":
            self.lines.append(record.getMessage())
