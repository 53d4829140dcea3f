"""What the tests of a day at the exchange do: move the clock, trade as a client, and ask what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until

MORNING = "2026-11-23T09:00"


def aapl() -> Any:
    """Describe the stock that is traded here; it is bid at 430.46 and offered at 430.48 on the first day."""
    return ib_insync().Stock("AAPL", "SMART", "USD")


@dataclass(slots=True)
class Exchange:
    """A gateway that keeps the exchange's hours, and a client of it.

    Args:
        stub: the gateway.
        loop: in which the client lives.
        connect: connects an ib_insync client.
        told: code and text of each error that the client received.
    """

    stub: Stub
    loop: asyncio.AbstractEventLoop
    connect: Callable[..., Any]
    told: list[tuple[int, str]] = field(default_factory=list)

    def client(self, client_id: int = 1) -> Any:
        """Connect a client, and keep what it is told from then on."""
        client = self.connect(client_id, self.stub.port)
        client.errorEvent += lambda _id, code, text, _contract: self.told.append((code, text))
        return client

    @property
    def codes(self) -> list[int]:
        """The codes of what was told so far."""
        return [code for code, _ in self.told]

    def change(self, **order: Any) -> httpx.Response:
        """Ask for a change of the clock."""
        return self.stub.control.post("/clock", json=order)

    def move(self, to: str) -> dict[str, Any]:
        """Move the clock, and return what it says."""
        answer = self.change(to=to)
        assert answer.status_code == httpx.codes.OK, answer.text
        state: dict[str, Any] = answer.json()
        return state

    def let(self, client: Any, holds: Callable[[], object], what: str) -> None:
        """Let a client receive until a condition holds."""
        receive_until(client, holds, what, evidence=lambda: (self.told, self.stub.orders()))

    def place(self, client: Any, order: Any, status: str, reference: str = "") -> Any:
        """Place an order, and wait until the client sees it in a state."""
        order.orderRef = reference
        trade = client.placeOrder(aapl(), order)
        self.let(client, lambda: trade.orderStatus.status == status, f"{reference or 'order'} is {status}")
        return trade

    def status(self, reference: str) -> str:
        """Return where the gateway itself says that an order stands."""
        (status,) = [order["status"] for order in self.stub.orders() if order["order_ref"] == reference]
        return str(status)


def executions(client: Any) -> list[str]:
    """Return the references of the executions that are listed."""
    return [fill.execution.orderRef for fill in client.reqExecutions()]


def completed(client: Any) -> list[tuple[str, str]]:
    """Return reference and status of the completed orders that are listed."""
    return [(trade.order.orderRef, trade.orderStatus.status) for trade in client.reqCompletedOrders(apiOnly=False)]
