"""Runs NautilusTrader's own Interactive Brokers adapter: a node that starts, reconciles and trades, then ends.

``python -m drivers.trade_with_nautilus PORT ACCOUNT`` prints a JSON line for each thing that happened. It is no driver
that is asked command by command: the adapter owns the event loop, and a strategy acts on what it is told.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

from nautilus_trader.adapters.interactive_brokers.common import IB, IBContract
from nautilus_trader.adapters.interactive_brokers.config import (
    InteractiveBrokersDataClientConfig,
    InteractiveBrokersExecClientConfig,
    InteractiveBrokersInstrumentProviderConfig,
)
from nautilus_trader.adapters.interactive_brokers.factories import (
    InteractiveBrokersLiveDataClientFactory,
    InteractiveBrokersLiveExecClientFactory,
)
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, RoutingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

_INSTRUMENT = InstrumentId.from_str("AAPL.NASDAQ")
_QUANTITY = 10
_CLIENT_ID = 1


def _tell(happened: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"happened": happened, **more}) + "\n")
    sys.stdout.flush()


class OneOrder(Strategy):  # type: ignore[misc]  # the library is in an environment of its own
    """Tells what the node found at its start, buys once, and ends the node when that is filled."""

    def __init__(self, node: TradingNode) -> None:
        super().__init__()
        self._node = node

    def on_start(self) -> None:
        """Place the order; the engine starts strategies once it has reconciled."""
        held = {str(each.instrument_id): str(each.signed_decimal_qty()) for each in self.cache.positions_open()}
        resting = [str(each.venue_order_id) for each in self.cache.orders_open()]
        _tell("reconciled", positions=held, open_orders=resting)
        instrument = self.cache.instrument(_INSTRUMENT)
        order = self.order_factory.market(_INSTRUMENT, OrderSide.BUY, instrument.make_qty(Decimal(_QUANTITY)))
        self.submit_order(order)

    def on_order_event(self, event: Any) -> None:
        """Tell what became of the order."""
        _tell(type(event).__name__)

    def on_order_filled(self, event: Any) -> None:
        """Tell of the fill, and end."""
        _tell("filled", quantity=str(event.last_qty), price=str(event.last_px), commission=str(event.commission))
        self._node.stop()


def main(port: int, account: str) -> None:
    """Run the node until it has traded."""
    contract = IBContract(secType="STK", symbol="AAPL", exchange="SMART", primaryExchange="NASDAQ", currency="USD")
    provider = InteractiveBrokersInstrumentProviderConfig(load_contracts=frozenset({contract}))
    config = TradingNodeConfig(
        trader_id="DRILL-001",
        logging=LoggingConfig(log_level="WARNING", log_colors=False),
        exec_engine=LiveExecEngineConfig(reconciliation=True),
        data_clients={
            IB: InteractiveBrokersDataClientConfig(
                ibg_port=port, ibg_client_id=_CLIENT_ID, instrument_provider=provider
            )
        },
        exec_clients={
            IB: InteractiveBrokersExecClientConfig(
                ibg_port=port,
                ibg_client_id=_CLIENT_ID,
                account_id=account,
                instrument_provider=provider,
                routing=RoutingConfig(default=True),
            )
        },
        timeout_connection=30.0,
        timeout_reconciliation=10.0,
        timeout_portfolio=10.0,
        timeout_disconnection=5.0,
        timeout_post_stop=1.0,
    )
    node = TradingNode(config=config)
    node.add_data_client_factory(IB, InteractiveBrokersLiveDataClientFactory)
    node.add_exec_client_factory(IB, InteractiveBrokersLiveExecClientFactory)
    node.trader.add_strategy(OneOrder(node))
    node.build()
    _tell("built")
    try:
        node.run()
    finally:
        node.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
