"""An order under each fault of the gateway: at most one, recorded truly or loudly as unknown, and right after healing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import pytest

from tests.trading.databases import migrated_database
from tests.trading.order_desk import FOLLOW_S, Desk, Row, Seen, fault
from tests.trading.parts import Parts, new_run
from tests.trading.process import running_gateway, wait_until

pytestmark = pytest.mark.sweep
_DESKS = 5
# What an attempt may take that begins at the end of the time for reconnecting.
_LAST_ATTEMPT_S = 14.0


def reads(*statuses: str) -> frozenset[str]:
    """What a record may say."""
    return frozenset(statuses)


_AT_ORDER = "placeOrder"
_FILLED, _UNKNOWN, _NOT_SENT = reads("FILLED"), reads("UNKNOWN"), reads("NOT_SENT")
_OPEN = reads("SUBMITTED")

ROWS: dict[str, Row] = {
    # The broker's word.
    "rejected": Row((fault("order-rejected"),), reads("REJECTED"), "REJECTED", "error 201: Order rejected - reason:"),
    "cancelled": Row((fault("order-cancelled"),), reads("CANCELLED"), "CANCELLED", "error 202: Order Canceled"),
    "cancelled late": Row((fault("order-cancelled", after_s=0.5),), reads("CANCELLED"), "CANCELLED", "error 202"),
    "market closed": Row((fault("market-closed"),), _OPEN),
    "never filled": Row((fault("never-filled"),), _OPEN),
    "partly filled": Row((fault("partly-filled", fraction=0.3),), reads("PARTIAL")),
    "executions twice": Row((fault("duplicate-executions"),), _FILLED),
    "states out of order": Row((fault("out-of-order-status"),), _FILLED),
    # Silence.
    "order swallowed": Row((fault("silent", requests=[_AT_ORDER]),), _UNKNOWN, reason="no trace"),
    "order done in silence": Row((fault("silent", requests=[_AT_ORDER], still_done=True),), _FILLED),
    "silent from the order on": Row((fault("silent", on=_AT_ORDER),), _UNKNOWN, reconnect_s=2),
    "silent from the start": Row((fault("silent"),), _NOT_SENT, reconnect_s=2),
    "search swallowed": Row((fault("silent", requests=["reqCompletedOrders"]),), _UNKNOWN, reconnect_s=2),
    "time swallowed": Row((fault("silent", requests=["reqCurrentTime"]),), _NOT_SENT, reconnect_s=2),
    # Half a frame, and nonsense.
    **{
        f"{message} cut, then {then}": Row((fault("truncated-frame", message=message, then=then, times=1),), _FILLED)
        for message in ("openOrder", "orderStatus", "execDetails", "commissionReport", "completedOrder")
        for then in ("close", "stall")
    },
    "absurd length": Row((fault("absurd-length", message="orderStatus", times=1),), _FILLED),
    "garbage bytes": Row((fault("garbage-bytes", message="execDetails", times=1),), _FILLED),
    "garbage in states": Row((fault("garbage-fields", message="orderStatus"),), _FILLED),
    "garbage in executions": Row((fault("garbage-fields", message="execDetails"),), _FILLED, reason="not all its"),
    "garbage in the handshake": Row((fault("garbage-handshake"),), _NOT_SENT, reconnect_s=2),
    "handshake in two parts": Row((fault("split-handshake"),), _FILLED),
    # The gateway's own connection, and the gateway itself.
    "servers lost for a while": Row((fault("connectivity-lost", for_s=1.0),), _FILLED),
    "servers lost": Row((fault("connectivity-lost"),), _NOT_SENT, reconnect_s=2),
    "servers lost at the order": Row((fault("connectivity-lost", on=_AT_ORDER),), _OPEN),
    "servers and data lost at the order": Row((fault("connectivity-lost", on=_AT_ORDER, data_kept=False),), _OPEN),
    "storm": Row((fault("connectivity-storm", every_s=0.05),), reads("NOT_SENT", "FILLED"), reconnect_s=2),
    "storm from the order on": Row((fault("connectivity-storm", on=_AT_ORDER, every_s=0.1),), _FILLED),
    "restart at the order": Row((fault("daily-restart", on=_AT_ORDER, refuse_s=1.0, unsteady_s=1.0),), _FILLED),
    "log-in needed at the order": Row((fault("login-needed", on=_AT_ORDER),), _UNKNOWN, reconnect_s=2),
    "farm broken": Row((fault("farm-broken"),), _FILLED),
    # Client ids.
    "first id taken": Row((fault("client-id-in-use", client_ids=[10]),), _FILLED),
    "all ids taken": Row((fault("client-id-in-use"),), _NOT_SENT, reconnect_s=2),
    "id lingers after a cut": Row(
        (fault("client-id-lingers", after_s=2.0), fault("truncated-frame", message="orderStatus", times=1)), _FILLED
    ),
    # Slowness.
    "every answer late": Row((fault("slow", delay_s=0.4),), _FILLED),
    "every message slow": Row((fault("slow", delay_s=0.1, each="message"),), _FILLED),
    "every answer later than its deadline": Row((fault("slow", delay_s=6.0),), _NOT_SENT, reconnect_s=2),
    "late from the order on": Row((fault("slow", delay_s=6.0, on=_AT_ORDER),), _UNKNOWN, reconnect_s=2),
    "few messages allowed": Row((fault("message-rate", most_per_s=4),), reads("FILLED", "UNKNOWN")),
}


@pytest.fixture(scope="module")
def desks(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Desk]]:
    """Gateways with databases of their own, so that rows can run side by side."""
    with ExitStack() as stack:
        made = []
        for _ in range(_DESKS):
            folder = tmp_path_factory.mktemp("desk")
            port, control = stack.enter_context(running_gateway(folder))
            own = replace(parts, gateway_port=port, gateway_control=control, database_url=migrated_database(parts))
            made.append(Desk(own, folder))
        yield made


@pytest.fixture(scope="module")
def seen(desks: list[Desk]) -> dict[str, Seen]:
    """All rows, each run once; they wait most of their time."""
    free: SimpleQueue[Desk] = SimpleQueue()
    for desk in desks:
        free.put(desk)

    def run(row: Row) -> Seen:
        desk = free.get()
        try:
            return desk.run(row)
        finally:
            free.put(desk)

    with ThreadPoolExecutor(len(desks)) as pool:
        return dict(zip(ROWS, pool.map(run, ROWS.values()), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_order_is_recorded_truly_under_a_fault(seen: dict[str, Seen], name: str) -> None:
    """The fault hit; the record says what is known, in time; after healing, one order, and every number agrees."""
    row, came = ROWS[name], seen[name]
    assert all(came.hits.values()), came
    assert came.recorded["status"] in row.reads, came
    assert row.reason in (came.recorded["reason"] or ""), came
    assert bool(came.raised) == (came.recorded["status"] in {"UNKNOWN", "NOT_SENT"}), came
    assert came.elapsed_s < row.reconnect_s + FOLLOW_S + _LAST_ATTEMPT_S, came
    assert came.after["status"] == row.healed, came
    assert came.wrong == [], came


@pytest.fixture
def desk(desks: list[Desk]) -> Desk:
    """One gateway, without orders and faults."""
    desks[0].control("POST", "/reset")
    return desks[0]


def test_order_that_fills_after_its_cancel_reads_filled(desk: Desk) -> None:
    """Cancelled, recorded so, and filled all the same: the next reconciliation records the fill and its trade."""
    desk.control("POST", "/faults", json=fault("fill-after-cancel", after_s=FOLLOW_S))
    run = new_run()
    with ThreadPoolExecutor(1) as pool:
        placing = pool.submit(desk.place, run, Row((), reads("CANCELLED")))
        wait_until(desk.orders, "the order arrives")
        asyncio.run(desk.cancel_all())
        assert placing.result() == ""
    assert desk.record(run)["status"] == "CANCELLED"
    wait_until(lambda: desk.orders() == ["Filled"], "the order fills")
    asyncio.run(desk.reconciled(run))
    assert desk.record(run)["status"] == "FILLED"
    assert desk.differences(run) == []


def test_order_that_fills_after_its_run_is_reconciled_by_the_next(desk: Desk) -> None:
    """An order that was still open when its run ended gets its end, its numbers and its trades from a later run."""
    waiting = desk.control("POST", "/faults", json=fault("market-closed"))["id"]
    first = new_run()
    desk.place(first, Row((), _OPEN))
    assert desk.record(first)["status"] == "SUBMITTED"
    desk.control("DELETE", f"/faults/{waiting}")
    wait_until(lambda: desk.orders() == ["Filled"], "the order fills")
    asyncio.run(desk.reconciled(new_run()))
    assert desk.record(first)["status"] == "FILLED"
    assert desk.differences(first) == []


def test_order_is_looked_for_again_when_the_servers_are_back(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """An order in doubt is not missing because a gateway without its servers does not list it."""
    swallowed = desk.control("POST", "/faults", json=fault("silent", requests=[_AT_ORDER]))["id"]
    run = new_run()
    assert desk.place(run, Row((), _UNKNOWN)) == "OrderUnknown"
    desk.control("DELETE", f"/faults/{swallowed}")
    desk.control("POST", "/faults", json=fault("connectivity-lost", on="reqExecutions", for_s=1.0))
    caplog.set_level(logging.INFO)
    caplog.clear()
    assert desk.place(run, Row((), _FILLED)) == ""
    events = [record.getMessage().split()[0] for record in caplog.records]
    back = events.index("gateway_upstream_back")
    assert events[:back].count("order_searched") == 1
    assert events[back : events.index("order_claimed")].count("order_searched") == 2
    assert desk.differences(run) == []
