"""Runs of the workflow: started through Airflow's API, followed to their end."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

from harness.clients.airflow import Airflow
from harness.drill.observer import Observer, RunWatch
from harness.history.events import RunRole


class Runs:
    """Every run that a drill starts.

    Args:
        airflow: where they run.
        observer: follows them.
        symbols: what each run trades.
    """

    def __init__(self, airflow: Airflow, observer: Observer, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.started: list[RunWatch] = []
        self._airflow = airflow
        self._observer = observer

    def new(self, role: RunRole) -> RunWatch:
        """Name a run; nothing happens yet."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
        watch = RunWatch(run_id=f"{role}__{stamp}_{secrets.token_hex(2)}", role=role)
        self.started.append(watch)
        return watch

    async def go(self, watch: RunWatch, limit_s: float, began: asyncio.Event | None = None) -> bool:
        """Start a run and follow it.

        Returns:
            Whether it ended within ``limit_s``.
        """
        await self._airflow.trigger(watch.run_id, {"symbols": list(self.symbols)})
        if began is not None:
            began.set()
        try:
            async with asyncio.timeout(limit_s):
                await self._observer.watch_run(watch)
        except TimeoutError:
            return False
        return True
