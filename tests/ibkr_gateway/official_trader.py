"""A trade with the official client, at one server version after the other: ``python official_trader.py PORT VERSION…``.

It runs in the environment of that client, and prints what came, a line of JSON for each version.
"""

# The callbacks are called as the client calls them, and mean what its documentation says.
# ruff: noqa: ANN002, ARG002, D102, N802, N803, T201
# mypy: ignore-errors

from __future__ import annotations

import json
import sys
import threading

import ibapi.client
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper

WAIT_S = 30.0


class Trader(EWrapper, EClient):
    """Keeps what the client was told, by the name of the callback."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.came: dict[str, list] = {}
        self._changed = threading.Condition()

    def until(self, name: str, times: int = 1) -> list:
        """Wait until something came that often."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.came.get(name, ())) >= times, WAIT_S):
                raise SystemExit(f"{name} had not come after {WAIT_S} s; there came {self.came}")
            return self.came[name]

    def _keep(self, name: str, what: object) -> None:
        with self._changed:
            self.came.setdefault(name, []).append(what)
            self._changed.notify_all()

    def nextValidId(self, orderId: int) -> None:
        self._keep("id", orderId)

    def error(self, reqId: int, errorTime: int, errorCode: int, errorString: str, advanced: str = "") -> None:
        self._keep("error" if errorCode < 2000 else "notice", [reqId, errorTime > 0, errorCode, errorString])

    def contractDetails(self, reqId: int, details: object) -> None:
        self._keep("details", [details.contract.conId, details.longName, details.minTick, details.liquidHours[:8]])

    def historicalData(self, reqId: int, bar: object) -> None:
        self._keep("bar", [bar.date, bar.open, bar.close, str(bar.volume), bar.barCount])

    def historicalDataEnd(self, reqId: int, start: str, end: str) -> None:
        self._keep("bars", [start[:8], end[:8]])

    def openOrder(self, orderId: int, contract: Contract, order: Order, state: object) -> None:
        shown = [contract.symbol, order.orderType, str(order.totalQuantity), order.lmtPrice, order.auxPrice, order.tif]
        self._keep("order", [*shown, order.account, order.orderRef, order.ocaType, state.status])

    def orderStatus(self, orderId: int, status: str, filled: object, remaining: object, average: float, *more) -> None:
        self._keep(status, [str(filled), str(remaining), average, more[2]])

    def execDetails(self, reqId: int, contract: Contract, execution: object) -> None:
        shown = [contract.symbol, execution.side, str(execution.shares), execution.price, execution.orderRef]
        self._keep("execution" if reqId > 0 else "fill", [*shown, str(execution.cumQty), execution.orderId])

    def execDetailsEnd(self, reqId: int) -> None:
        self._keep("executions", reqId)

    def commissionAndFeesReport(self, report: object) -> None:
        self._keep("commission", [report.commissionAndFees, report.currency])

    def completedOrder(self, contract: Contract, order: Order, state: object) -> None:
        self._keep("completed", [contract.symbol, str(order.filledQuantity), state.status, state.completedStatus])

    def completedOrdersEnd(self) -> None:
        self._keep("all completed", True)


def trade(port: int, version: int) -> dict[str, object]:
    """Buy one share, and return what came."""
    ibapi.client.MAX_CLIENT_VER = version
    trader = Trader()
    trader.connect("127.0.0.1", port, version)
    reading = threading.Thread(target=trader.run, daemon=True)
    reading.start()
    (order_id,) = trader.until("id")
    stock = Contract()
    stock.symbol, stock.secType, stock.exchange, stock.currency = "AAPL", "STK", "SMART", "USD"
    trader.reqContractDetails(1, stock)
    trader.until("details")
    trader.reqHistoricalData(2, stock, "", "5 D", "1 day", "TRADES", 1, 1, False, [])
    trader.until("bars")
    order = Order()
    order.action, order.totalQuantity, order.orderType, order.lmtPrice = "BUY", 1, "LMT", 500.25
    order.tif, order.orderRef = "DAY", f"at {version}"
    if version < 111:
        # Unset it is a value to this client, which those versions have no field for.
        order.cashQty = 0
    trader.placeOrder(order_id, stock, order)
    trader.until("commission")
    trader.reqExecutions(3, ExecutionFilter())
    trader.until("executions")
    if version >= 150:
        trader.reqCompletedOrders(True)
        trader.until("all completed")
    came = {"version": trader.serverVersion(), **trader.came}
    trader.disconnect()
    reading.join(WAIT_S)
    return came


if __name__ == "__main__":
    for each in sys.argv[2:]:
        print(json.dumps(trade(int(sys.argv[1]), int(each))), flush=True)
