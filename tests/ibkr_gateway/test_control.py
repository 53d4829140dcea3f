"""The control port."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.ibkr_gateway.stub import ACCOUNT, Stub, ib_insync, notice_loss, receive_until

Connect = Callable[..., Any]
DEFAULT_BEHAVIOUR = {"fill_delay_s": 0.1, "fill_pieces": 1, "tick_interval_s": 0.25, "price_moves": False}


def buy(client: Any, reference: str = "ref") -> Any:
    """Send a market order for ten shares."""
    return client.placeOrder(
        ib_insync().Stock("AAPL", "SMART", "USD"), ib_insync().MarketOrder("BUY", 10, orderRef=reference)
    )


def bought(client: Any, reference: str = "ref") -> Any:
    """Send a market order and wait for the fill."""
    trade = buy(client, reference)
    receive_until(client, lambda: trade.isDone() and trade.fills, "filled")
    return trade


def test_health_names_port_and_account(stub: Stub) -> None:
    """The program that drives a drill learns what answers there."""
    assert stub.control.get("/health").json() == {"status": "ok", "port": stub.port, "account": ACCOUNT}


def test_ledger_tells_an_order_from_message_to_fill(connect: Connect, stub: Stub) -> None:
    """What came, the order, each state and the fill, in the order in which it happened, with exact numbers as text."""
    trade = bought(connect(9))
    kinds = [entry["kind"] for entry in stub.entries() if not entry["kind"].startswith(("message", "connection"))]
    assert kinds == ["order_received", "order_status", "order_status", "fill", "order_status"]
    (received,) = stub.entries("order_received")
    perm_id = trade.order.permId
    expected = {
        "client_id": 9,
        "order_id": trade.order.orderId,
        "perm_id": perm_id,
        "order_ref": "ref",
        "account": ACCOUNT,
        "symbol": "AAPL",
        "action": "BUY",
        "quantity": "10",
        "order_type": "MKT",
    }
    assert expected.items() <= received.items()
    assert [entry["status"] for entry in stub.entries("order_status")] == ["PreSubmitted", "Submitted", "Filled"]
    last = stub.entries("order_status")[-1]
    assert {"perm_id": perm_id, "filled": "10", "remaining": "0", "avg_price": "430.48"}.items() <= last.items()
    (fill,) = stub.entries("fill")
    price = {"perm_id": perm_id, "side": "BOT", "shares": "10", "price": "430.48", "commission": "1.00"}
    assert price.items() <= fill.items()
    placed = [entry for entry in stub.entries("message_in") if entry["name"] == "placeOrder"]
    assert [(entry["client_id"], entry["message_id"], "ref" in entry["fields"]) for entry in placed] == [(9, 3, True)]


def test_ledger_is_read_on_from_any_entry(connect: Connect, stub: Stub) -> None:
    """``since`` is exclusive, ``next`` is what to ask for then, and numbers rise by one."""
    connect()
    first = stub.control.get("/ledger").json()
    numbers = [entry["seq"] for entry in first["entries"]]
    assert all(after == before + 1 for before, after in itertools.pairwise(numbers))
    assert first["next"] == numbers[-1]
    middle = numbers[len(numbers) // 2]
    later = stub.control.get("/ledger", params={"since": middle}).json()["entries"]
    assert [entry["seq"] for entry in later] == numbers[len(numbers) // 2 + 1 :]
    assert stub.control.get("/ledger", params={"since": first["next"] + 100}).json()["entries"] == []


def test_ledger_times_are_wall_and_monotonic(connect: Connect, stub: Stub) -> None:
    """The monotonic time is the machine's, so that it can be laid beside another process's."""
    before = time.monotonic()
    connect()
    after = time.monotonic()
    times = [entry["mono_s"] for entry in stub.entries()]
    assert before <= times[0] <= times[-1] <= after
    assert times == sorted(times)
    assert all(entry["at"].endswith("+00:00") for entry in stub.entries())


def test_orders_show_the_final_state_of_each(connect: Connect, stub: Stub) -> None:
    """Every order that the gateway ever had, with what became of it."""
    client = connect(9)
    trade = bought(client)
    client.disconnect()
    (order,) = stub.orders()
    received_at, ended_at = (datetime.fromisoformat(str(order[name])) for name in ("received_at", "ended_at"))
    assert received_at <= ended_at
    assert [order] == [
        {
            "order_ref": "ref",
            "perm_id": trade.order.permId,
            "client_id": 9,
            "symbol": "AAPL",
            "action": "BUY",
            "quantity": "10",
            "order_type": "MKT",
            "time_in_force": "DAY",
            "parent_perm_id": 0,
            "oca_group": "",
            "status": "Filled",
            "filled": "10",
            "avg_price": "430.48",
            "received_at": received_at.isoformat(),
            "ended_at": ended_at.isoformat(),
        }
    ]


def test_state_tells_clients_positions_and_orders(connect: Connect, stub: Stub) -> None:
    """Who is connected, what the account holds, and where each order stands."""
    bought(connect(3), "told")
    state = stub.control.get("/state").json()
    assert (state["clients"], state["positions"]) == ([3], {"AAPL": "10"})
    assert [(order["order_ref"], order["status"]) for order in state["orders"]] == [("told", "Filled")]
    assert float(state["cash"]) == 1_000_000 - 10 * 430.48 - 1


def test_fill_delay_is_obeyed(connect: Connect, stub: Stub) -> None:
    """From the acknowledgement to the fill it takes as long as was set."""
    stub.fill_after(0.4)
    bought(connect())
    submitted = next(entry for entry in stub.entries("order_status") if entry["status"] == "Submitted")
    (fill,) = stub.entries("fill")
    assert 0.39 <= fill["mono_s"] - submitted["mono_s"] < 2


def test_behaviour_changes_only_in_what_is_named(stub: Stub) -> None:
    """Each setting has its own default and stays as it is until it is named."""
    assert stub.control.get("/behaviour").json() == DEFAULT_BEHAVIOUR
    expected = dict(DEFAULT_BEHAVIOUR)
    for name, value in (("fill_pieces", 3), ("tick_interval_s", 2), ("price_moves", True), ("fill_delay_s", 0)):
        expected[name] = value
        assert stub.control.patch("/behaviour", json={name: value}).json() == expected
        assert stub.control.get("/behaviour").json() == expected


def test_empty_change_of_behaviour_is_told_what_may_be_named(stub: Stub) -> None:
    """The reason lists the settings."""
    reason = stub.control.patch("/behaviour", json={}).json()["error"]
    assert all(name in reason for name in DEFAULT_BEHAVIOUR)


@pytest.mark.parametrize(
    "body",
    [
        '{"fill_delay_s": -1}',
        '{"fill_delay_s": "NaN"}',
        '{"fill_delay_s": null}',
        '{"fill_pieces": 0}',
        '{"fill_pieces": 101}',
        '{"fill_pieces": 1.5}',
        '{"tick_interval_s": 0.001}',
        '{"tick_interval_s": 61}',
        '{"price_moves": "yes"}',
        '{"fill_pieces": 3, "unknown": 1}',
        "{}",
        "[]",
        "no json",
        "\0",
    ],
)
def test_behaviour_refuses_what_it_does_not_know(stub: Stub, body: str) -> None:
    """A wrong setting changes nothing and is named in one line."""
    answer = stub.control.patch("/behaviour", content=body)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]
    assert stub.control.get("/behaviour").json() == DEFAULT_BEHAVIOUR


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "¹"])
def test_ledger_refuses_a_since_that_is_no_number(stub: Stub, since: str) -> None:
    """The caller is told what was expected."""
    assert stub.control.get("/ledger", params={"since": since}).status_code == 422


def test_reset_leaves_nothing_behind(connect: Connect, stub: Stub, loop: asyncio.AbstractEventLoop) -> None:
    """Orders, fills, positions, ledger entries, behaviour and clients are gone; order and execution ids go on."""
    client = connect()
    before = bought(client, "before").fills[0].execution
    stub.fill_after(30)
    buy(client, "waiting")
    receive_until(client, lambda: len(stub.orders()) == 2, "both orders received")
    stub.reset()
    assert stub.orders() == []
    assert stub.control.get("/behaviour").json() == DEFAULT_BEHAVIOUR
    assert stub.entries() == []
    notice_loss(client, loop)
    again = connect(2)
    assert (again.positions(), again.reqExecutions(), again.reqCompletedOrders(apiOnly=False)) == ([], [], [])
    after = bought(again, "after").fills[0].execution
    assert after.permId > before.permId
    assert after.execId != before.execId
    assert [entry["order_ref"] for entry in stub.entries("fill")] == ["after"]
