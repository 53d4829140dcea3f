"""The control port of the IBKR gateway stub: its ledger is the witness for orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from harness.clients.http import HttpApi, ask, ask_for
from harness.errors import UnsafeTarget
from harness.history.reads import BrokerOrder
from harness.validated import Answer


class _Health(Answer):
    status: str
    account: str


class _Order(Answer):
    order_ref: str
    perm_id: int
    symbol: str
    action: str
    quantity: Decimal
    status: str
    filled: Decimal
    avg_price: Decimal | None = None
    received_at: datetime | None = None
    ended_at: datetime | None = None


class _Orders(Answer):
    orders: list[_Order]


class LedgerEntry(Answer):
    """One line of the ledger; the fields of its kind are left out."""

    seq: int
    kind: str
    order_ref: str | None = None


class Ledger(Answer):
    """A part of the ledger, and where to read on."""

    entries: list[LedgerEntry]
    next: int


class GatewayControl(HttpApi):
    """The stub's control port at ``url``."""

    async def refuse_live_account(self) -> None:
        """Make sure that the account is a paper account.

        Raises:
            UnsafeTarget: its name does not begin with DU.
        """
        account = (await ask_for(_Health, self._client, "GET", "/health")).account
        if not account.startswith("DU"):
            raise UnsafeTarget(
                f"the gateway serves account {account}, not a paper account; only accounts with DU… are drilled"
            )

    async def reset(self) -> None:
        """Forget every order, position and ledger entry; drop every client."""
        await ask(self._client, "POST", "/reset")

    async def set_fill_delay(self, fill_delay_s: float) -> None:
        """Set the time between an order's acknowledgement and its fill."""
        await ask(self._client, "PATCH", "/behaviour", json={"fill_delay_s": fill_delay_s})

    async def ledger(self, since: int) -> Ledger:
        """The ledger after the entry ``since``."""
        return await ask_for(Ledger, self._client, "GET", f"/ledger?since={since}")

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order that the gateway ever had, in its present state."""
        found = await ask_for(_Orders, self._client, "GET", "/orders")
        return tuple(BrokerOrder(**dict(order)) for order in found.orders)
