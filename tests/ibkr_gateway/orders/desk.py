"""A client's desk: it places orders, keeps what it is told, and reads in the ledger what really happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until


def aapl(**other: Any) -> Any:
    """Describe the stock that is traded here; it is bid at 430.46 and offered at 430.48."""
    contract = ib_insync().Stock("AAPL", "SMART", "USD")
    contract.update(**other)
    return contract


class Desk:
    """One ib_insync client whose errors are kept.

    Args:
        stub: the gateway.
        client: connected.
    """

    def __init__(self, stub: Stub, client: Any) -> None:
        self.stub = stub
        self.client = client
        self.told: list[tuple[int, int, str]] = []
        client.errorEvent += self._note

    def order(self, order_type: str = "MKT", action: str = "BUY", shares: float = 10, **terms: Any) -> Any:
        """Make an order with an id of its own."""
        made = ib_insync().Order(
            orderId=terms.pop("orderId", None) or self.client.client.getReqId(),
            action=action,
            totalQuantity=shares,
            orderType=order_type,
        )
        made.update(**terms)
        return made

    def place(self, order: Any, contract: Any = None) -> int:
        """Send an order, and return its id."""
        order_id: int = order.orderId
        self.client.client.placeOrder(order_id, contract or aapl(), order)
        return order_id

    def answered(self) -> list[tuple[int, int, str]]:
        """Return what the client was told of all that it has sent so far; notices about farms are left out."""
        self.client.reqCurrentTime()
        return [told for told in self.told if told[0] != -1]

    def codes(self) -> list[int]:
        """Return the codes of what the client was told."""
        return [code for _, code, _ in self.answered()]

    def statuses(self) -> dict[str, str]:
        """Return where each order stands at the broker, by its reference."""
        return {order["order_ref"]: order["status"] for order in self.stub.orders()}

    def let(self, holds: Callable[[], object], what: str) -> None:
        """Let the client receive until a condition holds."""
        receive_until(self.client, holds, what, evidence=lambda: (self.told, self.stub.orders()))

    def expect_statuses(self, statuses: dict[str, str]) -> None:
        """Let the client receive until orders stand like this at the broker."""
        self.let(lambda: self.statuses() == statuses, f"orders {statuses}")

    def bracket(self, entry: dict[str, Any], target: float = 500, stop: float = 400, **of_all: Any) -> list[Any]:
        """Make a bracket as client libraries do: held until its last order comes."""
        parent = self.order(**{"order_type": "MKT", "orderRef": "parent", **entry, **of_all}, transmit=False)
        family = {"parentId": parent.orderId, "action": "SELL", **of_all}
        return [
            parent,
            self.order("LMT", lmtPrice=target, orderRef="target", transmit=False, **family),
            self.order("STP", auxPrice=stop, orderRef="stop", **family),
        ]

    def _note(self, request: int, code: int, text: str, _contract: Any) -> None:
        self.told.append((request, code, text))
