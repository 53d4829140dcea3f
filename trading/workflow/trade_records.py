"""The table trades: each execution once, by the gateway's own id of it."""

from __future__ import annotations

from collections.abc import Sequence

from trading.workflow.executions import Execution
from trading.workflow.run_database import Connection, RunDatabase


async def record_trades(database: RunDatabase, execution_id: str, fills: Sequence[Execution]) -> None:
    """Record executions in one transaction; one that is there already only gains what it lacked.

    Args:
        database: the workflow's.
        execution_id: the run whose orders were filled.
        fills: the executions.
    """

    async def work(connection: Connection) -> None:
        for fill in fills:
            await connection.execute(
                "INSERT INTO trades"
                " (exec_id, order_ref, execution_id, perm_id, symbol, side, shares, price, commission, executed_at)"
                " VALUES (%(exec_id)s, %(order_ref)s, %(run)s, %(perm_id)s, %(symbol)s, %(side)s, %(shares)s,"
                " %(price)s, %(commission)s, %(executed_at)s)"
                " ON CONFLICT (exec_id) DO UPDATE SET commission = coalesce(excluded.commission, trades.commission)",
                {**fill.model_dump(), "run": execution_id},
            )

    await database.run(work, what="record the trades")
