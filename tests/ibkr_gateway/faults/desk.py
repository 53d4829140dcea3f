"""What the tests of faults do: switch one on, act as a client, and ask the stub how often it hit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until


@dataclass(slots=True)
class Desk:
    """A gateway with faults, and clients of it.

    Args:
        stub: the gateway.
        loop: in which the clients live.
        connect: connects an ib_insync client.
        told: request id, code and text of each error that a watched client received.
    """

    stub: Stub
    loop: asyncio.AbstractEventLoop
    connect: Callable[..., Any]
    told: list[tuple[int, int, str]] = field(default_factory=list)

    def order(self, name: str, *, on: dict[str, Any] | None = None, times: int | None = None, **given: Any) -> int:
        """Order a fault with its parameters, and return its id."""
        body = {"name": name, "parameters": given, "on": on, "times": times}
        answer = self.stub.control.post("/faults", json=body)
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["id"]
        return number

    def fault(self, number: int) -> dict[str, Any]:
        """Return a fault as it stands."""
        found: dict[str, Any] = self.stub.control.get(f"/faults/{number}").raise_for_status().json()
        return found

    def hits(self, number: int) -> int:
        """Return how often a fault hit a client."""
        count: int = self.fault(number)["hits"]
        return count

    def lift(self, number: int) -> None:
        """Lift a fault."""
        assert self.stub.control.delete(f"/faults/{number}").json()["state"] == "lifted"

    def watched(self, client_id: int = 1) -> Any:
        """Connect a client whose errors are kept in ``told``; the notices that it gets on connect are left out."""
        client = self.connect(client_id)
        self.watch(client)
        return client

    def watch(self, client: Any) -> None:
        """Keep what a client is told from now on."""
        client.errorEvent += lambda request, code, text, _contract: self.told.append((request, code, text))

    @property
    def codes(self) -> list[int]:
        """The codes of what was told so far."""
        return [code for _, code, _ in self.told]

    def let(self, client: Any, holds: Callable[[], object], what: str, deadline_s: float = 5.0) -> None:
        """Let a client receive until a condition holds."""
        receive_until(client, holds, what, deadline_s, lambda: (self.told, self.stub.orders()))

    def attempt(self, client_id: int = 1, timeout_s: float = 1.0) -> str:
        """Try to connect, and return what came of it: ``connected``, or the name of the exception."""
        client = ib_insync().IB()
        self.watch(client)
        try:
            client.connect("127.0.0.1", self.stub.port, clientId=client_id, timeout=timeout_s)
        except (OSError, TimeoutError) as error:
            return type(error).__name__
        finally:
            client.disconnect()
        return "connected"


def aapl() -> Any:
    """Describe the stock that is traded here; it is bid at 430.46 and offered at 430.48."""
    return ib_insync().Stock("AAPL", "SMART", "USD")


def buy(shares: float = 10, **more: Any) -> Any:
    """Make a market order."""
    return ib_insync().MarketOrder("BUY", shares, **more)


def bars(client: Any, timeout_s: float = 5.0) -> Any:
    """Ask for five daily bars."""
    return client.reqHistoricalData(aapl(), "", "5 D", "1 day", "TRADES", useRTH=True, timeout=timeout_s)
