"""One order under faults of the gateway: placed, looked at, healed, and looked at again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from pydantic import HttpUrl, PostgresDsn

from tests.trading.parts import Parts, new_run
from tests.trading.placing_tries import AAPL
from tests.trading.process import wait_until
from trading.workflow.broker import Broker
from trading.workflow.errors import OrderUnknown, WorkflowError
from trading.workflow.gateway import Gateway
from trading.workflow.order_placing import OrderPlacing
from trading.workflow.reconciliation import reconcile
from trading.workflow.run_database import RunDatabase
from trading.workflow.settings import WorkflowSettings

FOLLOW_S = 1.5
_READS = {
    "PreSubmitted": {"SUBMITTED"},
    "Submitted": {"SUBMITTED", "PARTIAL"},
    "Filled": {"FILLED"},
    "Cancelled": {"CANCELLED"},
    "Inactive": {"REJECTED"},
}


def fault(name: str, *, on: str = "", times: int | None = None, for_s: float | None = None, **given: Any) -> Any:
    """Describe a fault as the gateway stub's control port takes it.

    Args:
        name: of those that the stub knows.
        on: the request that it waits for; at once when empty.
        times: how often it hits.
        for_s: seconds until it is lifted by itself.
        given: its own parameters.
    """
    return {
        "name": name,
        "parameters": given,
        "on": {"request": on} if on else None,
        "times": times,
        "for_s": for_s,
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Args:
        faults: what goes wrong.
        reads: what the record may say while it goes wrong.
        healed: what the record says when it is over, and the task was run again or the order reconciled.
        reason: words that stand in the record while it goes wrong.
        reconnect_s: seconds for which the task tries.
    """

    faults: tuple[Any, ...]
    reads: frozenset[str]
    healed: str = "FILLED"
    reason: str = ""
    reconnect_s: float = 8.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a row.

    Args:
        elapsed_s: how long the task took.
        raised: the error that it ended with, by name; empty for none.
        recorded: the record when the task had ended.
        hits: how often each fault had hit until then, by name.
        after: the record after healing.
        wrong: where the records and the gateway's ledger differ after healing.
    """

    elapsed_s: float
    raised: str
    recorded: dict[str, Any]
    hits: dict[str, int]
    after: dict[str, Any]
    wrong: list[str] = field(default_factory=list)


class Desk:
    """A gateway with a database of orders.

    Args:
        parts: the gateway's and the database's; no other test uses them at the same time.
        folder: for the spool.
    """

    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts = parts
        self.settings = WorkflowSettings(
            backend_api_url=HttpUrl(parts.backend_url),
            database_url=PostgresDsn(parts.database_url),
            ibkr_port=parts.gateway_port,
            artifact_spool_dir=folder,
        )

    def run(self, row: Row) -> Seen:
        """Run one row."""
        run = new_run()
        self.control("POST", "/reset")
        armed = [self.control("POST", "/faults", json=one)["id"] for one in row.faults]
        started_s = time.monotonic()
        raised = self.place(run, row)
        elapsed_s = time.monotonic() - started_s
        recorded = self.record(run)
        lives = [self.control("GET", f"/faults/{number}") for number in armed]
        self.control("DELETE", "/faults")
        if raised:
            again = self.place(run, row)
            assert not again, f"the second try ended with {again}: {self.record(run)}"
        self.settled()
        asyncio.run(self.reconciled(run))
        hits = {life["order"]["name"]: life["hits"] for life in lives}
        return Seen(elapsed_s, raised, recorded, hits, self.record(run), self.differences(run))

    def place(self, run: str, row: Row) -> str:
        """Place a run's order, and return the error that it ended with, by name; empty for none."""

        async def work() -> None:
            async with RunDatabase(self.settings, budget_s=10) as database:
                placing = OrderPlacing(
                    database, Broker(self.settings), run, reconnect_s=row.reconnect_s, follow_s=FOLLOW_S
                )
                try:
                    await placing.place(AAPL, "BUY", Decimal(10))
                finally:
                    await placing.close()

        failure: WorkflowError | None = None
        try:
            asyncio.run(work())
        except WorkflowError as error:
            failure = error
        recorded = self.record(run)
        # The error and the record must tell the same.
        assert isinstance(failure, OrderUnknown) == (recorded["status"] == "UNKNOWN"), f"{failure!r}, {recorded}"
        return "" if failure is None else type(failure).__name__

    async def reconciled(self, run: str) -> None:
        """Reconcile a run's order, as the task get_trades does."""
        async with RunDatabase(self.settings, budget_s=10) as database:

            async def work(gateway: Gateway) -> None:
                await reconcile(gateway, database, run)

            await Broker(self.settings).reading("get_trades", work)

    async def cancel_all(self) -> None:
        """Cancel every open order, as a person at the gateway does."""
        gateway = await Broker(self.settings).connect(budget_s=5, client_ids=(99,))
        gateway.ib.reqGlobalCancel()
        await gateway.prove_alive()
        await gateway.close()

    def orders(self) -> list[str]:
        """The states of the orders that the gateway has had."""
        return [order["status"] for order in self._parts.gateway_orders()]

    def record(self, run: str) -> dict[str, Any]:
        """The record of a run's order, straight from the table."""
        (row,) = self._parts.rows("SELECT * FROM orders WHERE execution_id = %s", run)
        return row

    def settled(self) -> None:
        """Wait until nothing more happens to the order at the gateway."""
        wait_until(lambda: set(self.orders()) <= {"Filled", "Cancelled", "Inactive"}, "every order is done")

    def differences(self, run: str) -> list[str]:
        """Say where the records and the gateway's ledger differ."""
        orders, record = self._parts.gateway_orders(), self.record(run)
        if len(orders) != 1:
            return [f"expected one order, the gateway has {orders}"]
        (order,) = orders
        wrong = [] if record["status"] in _READS[order["status"]] else ["status"]
        wrong += [] if record["filled"] == Decimal(order["filled"]) else ["filled"]
        wrong += [] if (record["avg_price"] or 0) == Decimal(order["avg_price"]) else ["avg_price"]
        wrong += [] if record["perm_id"] == order["perm_id"] else ["perm_id"]
        trades = self._parts.rows("SELECT * FROM trades WHERE execution_id = %s ORDER BY exec_id", run)
        wrong += [] if _told(trades) == _told(self._fills()) else [f"trades {trades}"]
        return [f"{what}: recorded {record}, the gateway has {order}" for what in wrong]

    def _fills(self) -> list[dict[str, Any]]:
        entries = self.control("GET", "/ledger")["entries"]
        return [entry for entry in entries if entry["kind"] == "fill"]

    def control(self, method: str, path: str, **more: Any) -> Any:
        """Ask the gateway stub's control port."""
        answer = httpx.request(method, self._parts.gateway_control + path, trust_env=False, **more)
        assert answer.is_success, answer.text
        return answer.json()


def _told(fills: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("shares", "price", "commission")
    return [(fill["exec_id"], *(Decimal(fill[name]) for name in names)) for fill in fills]
