"""The table trades: each execution once, by the gateway's own id of it."""

from __future__ import annotations

from collections.abc import Sequence

from trading.workflow.executions import Execution
from trading.workflow.run_database import Connection


async def write_trades(connection: Connection, execution_id: str, fills: Sequence[Execution]) -> None:
    """Write executions, as a part of the caller's transaction; one that is there only gains what it lacked.

    Args:
        connection: in a transaction.
        execution_id: the run whose orders were filled.
        fills: the executions, each in its last correction, which takes the place of earlier ones.
    """
    for fill in fills:
        await connection.execute(
            "DELETE FROM trades"
            " WHERE order_ref = %s AND exec_id < %s AND regexp_replace(exec_id, '[.][^.]*$', '') = %s",
            (fill.order_ref, fill.exec_id, fill.stem),
        )
        await connection.execute(
            "INSERT INTO trades"
            " (exec_id, order_ref, execution_id, perm_id, symbol, side, shares, price, commission, executed_at)"
            " VALUES (%(exec_id)s, %(order_ref)s, %(run)s, %(perm_id)s, %(symbol)s, %(side)s, %(shares)s,"
            " %(price)s, %(commission)s, %(executed_at)s)"
            " ON CONFLICT (exec_id) DO UPDATE SET commission = coalesce(excluded.commission, trades.commission)",
            {**fill.model_dump(), "run": execution_id},
        )
