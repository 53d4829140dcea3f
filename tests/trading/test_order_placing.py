"""An order reaches the gateway at most once and is recorded truly, also when the connection or the task fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tests.trading.parts import Parts, new_run
from tests.trading.relay import Relay
from trading.workflow.broker import Broker
from trading.workflow.errors import GatewayUnavailable, OrderUnknown, RunDatabaseUnavailable
from trading.workflow.market_data import Instrument
from trading.workflow.order_placing import OrderPlacing, Placed
from trading.workflow.order_records import OrderStatus, order_ref
from trading.workflow.run_database import RunDatabase
from trading.workflow.settings import WorkflowSettings, read_settings

SetUp = Callable[..., WorkflowSettings]

AAPL = Instrument(symbol="AAPL", con_id=265598, currency="USD")

_PLACE = """
import asyncio, sys
from decimal import Decimal
from trading.workflow.broker import Broker
from trading.workflow.market_data import Instrument
from trading.workflow.order_placing import OrderPlacing
from trading.workflow.run_database import RunDatabase
from trading.workflow.settings import read_settings

async def main():
    settings = read_settings()
    async with RunDatabase(settings, budget_s=10) as database:
        placing = OrderPlacing(database, Broker(settings), sys.argv[1], reconnect_s=20)
        await placing.place(Instrument(symbol="AAPL", con_id=265598, currency="USD"), "BUY", Decimal(10))

asyncio.run(main())
"""


def place(run: str, instrument: Instrument = AAPL, *, reconnect_s: float = 20.0, database_s: float = 10.0) -> Placed:
    """Place a run's order for ten shares, as a task does."""

    async def work() -> Placed:
        settings = read_settings()
        async with RunDatabase(settings, budget_s=database_s) as database:
            placing = OrderPlacing(database, Broker(settings), run, reconnect_s=reconnect_s)
            try:
                return await placing.place(instrument, "BUY", Decimal(10))
            finally:
                await placing.close()

    return asyncio.run(work())


def recorded(parts: Parts, run: str) -> tuple[str, Decimal]:
    """Status and filled shares of a run's one order, straight from the table."""
    (row,) = parts.rows("SELECT status, filled FROM orders WHERE execution_id = %s", run)
    return row["status"], row["filled"]


def sent(parts: Parts, run: str) -> list[str]:
    """The status of each order of a run that the gateway has had."""
    return [order["status"] for order in parts.gateway_orders() if order["order_ref"] == order_ref(run, "AAPL")]


def test_order_is_filled_and_recorded(clean_gateway: Parts, set_up: SetUp) -> None:
    """Without trouble an order is sent once, filled, and recorded with its price as an exact number."""
    set_up()
    run = new_run()
    placed = place(run)
    assert placed.record.status is OrderStatus.FILLED
    assert not placed.reconciled
    (at_gateway,) = clean_gateway.gateway_orders()
    assert placed.record.avg_price == Decimal(at_gateway["avg_price"])
    assert placed.record.perm_id == at_gateway["perm_id"]
    assert recorded(clean_gateway, run) == ("FILLED", Decimal(10))


def test_order_is_not_sent_again_by_a_task_retry(clean_gateway: Parts, set_up: SetUp) -> None:
    """A second try of the same run finds the order recorded, and sends nothing."""
    set_up()
    run = new_run()
    first = place(run)
    assert place(run).record == first.record
    assert sent(clean_gateway, run) == ["Filled"]


def test_order_is_sent_once_by_each_run(clean_gateway: Parts, set_up: SetUp) -> None:
    """Another run is another order."""
    set_up()
    for _ in range(2):
        place(new_run())
    assert len(clean_gateway.gateway_orders()) == 2


def test_order_is_sent_once_by_two_tries_at_once(clean_gateway: Parts, set_up: SetUp) -> None:
    """Two tries of the same task side by side, as after a scheduler's death: one of them sends, both learn the end."""
    set_up()
    for _ in range(5):
        run = new_run()
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(place, run) for _ in range(2)]
            assert [one.result().record.status for one in both] == [OrderStatus.FILLED] * 2
        assert sent(clean_gateway, run) == ["Filled"]


def test_order_is_found_when_the_connection_is_lost_after_sending(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp
) -> None:
    """The gateway has the order, the client does not know: it looks before it sends, and sends nothing."""
    set_up(ibkr_port=gateway_relay.port)
    run = new_run()
    gateway_relay.set_trap(order_ref(run, "AAPL").encode(), forward=True)
    placed = place(run)
    assert gateway_relay.sprung.is_set()
    assert placed.reconciled
    assert sent(clean_gateway, run) == ["Filled"]
    assert recorded(clean_gateway, run) == ("FILLED", Decimal(10))


def test_order_is_sent_again_only_when_the_gateway_never_had_it(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp
) -> None:
    """The connection is lost before the order arrives: the search finds nothing, and the order is sent."""
    set_up(ibkr_port=gateway_relay.port)
    run = new_run()
    gateway_relay.set_trap(order_ref(run, "AAPL").encode(), forward=False)
    placed = place(run)
    assert gateway_relay.sprung.is_set()
    assert placed.reconciled
    assert sent(clean_gateway, run) == ["Filled"]
    assert recorded(clean_gateway, run) == ("FILLED", Decimal(10))


@pytest.mark.parametrize("forward", [True, False])
def test_order_is_unknown_while_the_gateway_cannot_be_asked(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp, *, forward: bool
) -> None:
    """An order that may have been sent is never called sent or unsent by guessing; a later try finds out."""
    set_up(ibkr_port=gateway_relay.port)
    run = new_run()
    gateway_relay.set_trap(order_ref(run, "AAPL").encode(), forward=forward, refuse=True)
    with pytest.raises(OrderUnknown):
        place(run, reconnect_s=1)
    assert recorded(clean_gateway, run) == ("UNKNOWN", Decimal(0))
    gateway_relay.restore()
    assert place(run).reconciled
    assert sent(clean_gateway, run) == ["Filled"]
    assert recorded(clean_gateway, run) == ("FILLED", Decimal(10))


def test_order_is_not_sent_while_its_old_connection_may_live(clean_gateway: Parts, set_up: SetUp) -> None:
    """Another connection holds the client id under which the order was sent: it is not sent again, nor guessed at."""
    settings = set_up()
    run = new_run()

    async def hold_the_id_and_try() -> None:
        async with RunDatabase(settings, budget_s=10) as database:
            broker = Broker(settings)
            zombie = await broker.connect(budget_s=5)
            placing = OrderPlacing(database, broker, run, reconnect_s=1)
            await database.run(
                lambda connection: connection.execute(
                    "INSERT INTO orders (order_ref, execution_id, symbol, action, quantity, order_type, status,"
                    " client_id, send_token, sent_at)"
                    " VALUES (%s, %s, 'AAPL', 'BUY', 10, 'MKT', 'UNKNOWN', %s, gen_random_uuid(), now())",
                    (order_ref(run, "AAPL"), run, zombie.client_id),
                ),
                what="pretend that it was sent",
            )
            try:
                with pytest.raises(OrderUnknown):
                    await placing.place(AAPL, "BUY", Decimal(10))
            finally:
                await placing.close()
                await zombie.close()

    asyncio.run(hold_the_id_and_try())
    assert clean_gateway.gateway_orders() == []
    assert place(run).record.status is OrderStatus.FILLED
    assert sent(clean_gateway, run) == ["Filled"]


def test_order_is_not_sent_when_the_gateway_is_gone(clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp) -> None:
    """A gateway that cannot be reached means an order that is recorded as not sent; a later try sends it."""
    set_up(ibkr_port=gateway_relay.port)
    gateway_relay.cut(refuse=True)
    run = new_run()
    with pytest.raises(GatewayUnavailable):
        place(run, reconnect_s=0.5)
    assert recorded(clean_gateway, run) == ("NOT_SENT", Decimal(0))
    assert sent(clean_gateway, run) == []
    gateway_relay.restore()
    assert place(run).record.status is OrderStatus.FILLED
    assert sent(clean_gateway, run) == ["Filled"]


def test_order_is_given_up_when_the_gateway_is_silent(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp
) -> None:
    """A gateway that accepts connections and says nothing holds the task no longer than one that is gone."""
    set_up(ibkr_port=gateway_relay.port)
    gateway_relay.stall()
    run = new_run()
    started_s = time.monotonic()
    with pytest.raises(GatewayUnavailable, match="not sent"):
        place(run, reconnect_s=1)
    assert time.monotonic() - started_s < 4
    assert recorded(clean_gateway, run) == ("NOT_SENT", Decimal(0))


def test_order_is_not_sent_without_its_intent(clean_gateway: Parts, set_up: SetUp) -> None:
    """No database, no intent, no order."""
    set_up(database_url="postgresql://ibkr_user:secret@127.0.0.1:1/ibkr_trading")
    run = new_run()
    with pytest.raises(RunDatabaseUnavailable):
        place(run, database_s=0.3)
    assert sent(clean_gateway, run) == []


def test_rejected_order_reads_rejected(clean_gateway: Parts, set_up: SetUp) -> None:
    """An order that the gateway refuses is recorded as rejected, with the gateway's words."""
    set_up()
    run = new_run()
    placed = place(run, Instrument(symbol="AAPL", con_id=1, currency="USD"))
    assert placed.record.status is OrderStatus.REJECTED
    assert "error 200" in (placed.record.reason or "")
    assert clean_gateway.gateway_orders() == []


@pytest.mark.parametrize("forward", [True, False])
def test_order_of_a_killed_task_is_sent_once(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp, *, forward: bool
) -> None:
    """SIGKILL at the moment of sending, whether the order arrived or not: after the retry there is one order."""
    set_up(ibkr_port=gateway_relay.port)
    run = new_run()
    gateway_relay.set_trap(order_ref(run, "AAPL").encode(), forward=forward, refuse=True)
    victim = subprocess.Popen([sys.executable, "-c", _PLACE, run])
    try:
        assert gateway_relay.sprung.wait(20)
    finally:
        victim.kill()
        victim.wait(5)
    assert recorded(clean_gateway, run)[0] == "UNKNOWN"
    gateway_relay.restore()
    assert place(run).reconciled
    assert sent(clean_gateway, run) == ["Filled"]
    assert recorded(clean_gateway, run) == ("FILLED", Decimal(10))
