"""The ways to the database, apart from one another, so that trouble with one kind of work leaves the others alone."""

from __future__ import annotations

from trading.backend.pool import ConnectionPool
from trading.backend.settings import BackendSettings

# Less than the second that a probe may take in all.
_PROBE_S = 0.9


class Database:
    """The pools of connections.

    Writes that wait for a lock must not keep views waiting, nor a slow view writes, nor either of them the health.

    Args:
        settings: address, pool size and deadline.
    """

    def __init__(self, settings: BackendSettings) -> None:
        url, size, deadline_s = settings.libpq_url, settings.db_pool_size, settings.db_deadline_s
        self.writes = ConnectionPool(url, size=size, deadline_s=deadline_s)
        self.views = ConnectionPool(url, size=size, deadline_s=deadline_s)
        self.probes = ConnectionPool(url, size=1, deadline_s=_PROBE_S)

    async def close(self) -> None:
        """Close every connection that is not in use."""
        for pool in (self.writes, self.views, self.probes):
            await pool.close()
