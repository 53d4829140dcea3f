"""The control port of the IBKR gateway stub: its ledger is the witness for orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from harness.clients.http import HttpApi, Unexpected, ask, ask_for
from harness.errors import UnsafeTarget
from harness.history.reads import BrokerOrder
from harness.validated import Answer

_NOT_FOUND = 404


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


class StubFault(Answer):
    """A fault that was ordered of the stub, as it stands.

    Args:
        id: by which it is lifted.
        state: ``armed``, ``on``, ``spent`` or ``lifted``; ``forgotten`` where the stub knows nothing of it any more.
        hits: how often it hit a client.
    """

    id: int
    state: str
    hits: int

    @property
    def is_on(self) -> bool:
        """Whether it is on; also one that has hit as often as it was to, and holds back what it held."""
        return self.state in ("on", "spent")

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self.state in ("lifted", "forgotten")

    @property
    def was_switched_on(self) -> bool:
        """Whether it came, whether or not it is still there."""
        return self.state != "armed"


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

    async def reset(self, beginning: Mapping[str, JsonValue] | None = None) -> None:
        """Forget every order, position and ledger entry; drop every client.

        Args:
            beginning: the time at which its clock begins anew, and the hours that it keeps, by its own names.

        Raises:
            Unexpected: it cannot begin so; the evidence says why.
        """
        await ask(self._client, "POST", "/reset", json=dict(beginning or {}))

    async def set_behaviour(self, settings: Mapping[str, JsonValue]) -> None:
        """Set how it fills orders and moves prices, by its own names of these settings."""
        await ask(self._client, "PATCH", "/behaviour", json=dict(settings))

    async def order_fault(
        self,
        name: str,
        parameters: Mapping[str, JsonValue],
        *,
        on: Mapping[str, JsonValue] | None = None,
        times: int | None = None,
    ) -> int:
        """Order one of its faults, and return the number by which it is known.

        Args:
            name: the fault's.
            parameters: the fault's own.
            on: the request that it waits for; at once if left out.
            times: how often it hits at most.

        Raises:
            Unexpected: it takes no such order; the evidence says why.
        """
        order = {"name": name, "parameters": dict(parameters), "on": None if on is None else dict(on), "times": times}
        return (await ask_for(StubFault, self._client, "POST", "/faults", json=order)).id

    async def fault(self, number: int) -> StubFault:
        """A fault as it stands.

        Raises:
            Unexpected: there is none of that number.
        """
        return await ask_for(StubFault, self._client, "GET", f"/faults/{number}")

    async def lift_fault(self, number: int) -> None:
        """Lift a fault, or disarm it; one that is lifted or forgotten already stays so."""
        try:
            await ask(self._client, "DELETE", f"/faults/{number}")
        except Unexpected as cause:
            if cause.status != _NOT_FOUND:
                raise

    async def ledger(self, since: int) -> Ledger:
        """The ledger after the entry ``since``."""
        return await ask_for(Ledger, self._client, "GET", f"/ledger?since={since}")

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order that the gateway ever had, in its present state."""
        found = await ask_for(_Orders, self._client, "GET", "/orders")
        return tuple(BrokerOrder(**dict(order)) for order in found.orders)
