"""The gateway's own connection, its farms, its port and its client ids."""

from __future__ import annotations

import pytest

from tests.ibkr_gateway.faults.desk import Desk, aapl, bars, buy
from tests.ibkr_gateway.stub import ib_insync, notice_loss, wait_until


@pytest.mark.parametrize(("data_kept", "code"), [(True, 1102), (False, 1101)])
def test_lost_connectivity_holds_orders_and_finds_nothing(desk: Desk, *, data_kept: bool, code: int) -> None:
    """1100 to all, no contract, no bars, the order waits; then 1102 or 1101, and the order fills."""
    client = desk.watched()
    fault = desk.order("connectivity-lost", data_kept=data_kept)
    desk.let(client, lambda: 1100 in desk.codes, "1100")
    assert (client.qualifyContracts(aapl()), list(bars(client))) == ([], [])
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: trade.orderStatus.status == "PreSubmitted", "held")
    assert desk.stub.entries("fill") == []
    assert desk.hits(fault) == 4
    desk.lift(fault)
    desk.let(client, lambda: code in desk.codes and trade.orderStatus.status == "Filled", f"{code}, and the fill")
    assert client.isConnected()
    assert len(bars(client)) == 5


def test_client_that_comes_while_connectivity_is_lost_is_told(desk: Desk) -> None:
    """It may connect, and hears 1100."""
    fault = desk.order("connectivity-lost")
    client = ib_insync().IB()
    desk.watch(client)
    client.connect("127.0.0.1", desk.stub.port, clientId=5, timeout=5)
    desk.let(client, lambda: 1100 in desk.codes, "1100")
    client.disconnect()
    assert desk.hits(fault) == 1


@pytest.mark.parametrize(("data_kept", "goes_on"), [(True, True), (False, False)])
def test_subscription_outlives_the_outage_unless_data_was_lost(desk: Desk, *, data_kept: bool, goes_on: bool) -> None:
    """After 1102 ticks still come; after 1101 they have to be asked for again."""
    client = desk.watched()
    desk.stub.control.patch("/behaviour", json={"tick_interval_s": 0.02}).raise_for_status()
    ticker = client.reqMktData(aapl())
    desk.let(client, lambda: ticker.bid == 430.46, "first tick")
    desk.lift(desk.order("connectivity-lost", data_kept=data_kept))
    desk.let(client, lambda: {1101, 1102} & set(desk.codes), "restored")
    client.reqCurrentTime()
    before = len(desk.stub.entries("message_out"))
    client.sleep(0.3)
    ticks = [entry for entry in desk.stub.entries("message_out")[before:] if entry["name"].startswith("tick")]
    assert bool(ticks) is goes_on


# Bars of five seconds come every five seconds; the rest is for a busy machine.
NEXT_BAR_S = 20.0
LIVE = ("realtimeBar", "historicalDataUpdate", "tickByTick", "updateMktDepthL2")


@pytest.mark.parametrize(("data_kept", "after"), [(True, set(LIVE)), (False, set())])
def test_live_data_ends_with_connectivity(desk: Desk, *, data_kept: bool, after: set[str]) -> None:
    """No bars, trades or books under 1100; after 1102 they go on, after 1101 they have to be asked for again."""
    client = desk.watched()
    desk.stub.control.patch("/behaviour", json={"tick_interval_s": 0.05, "price_moves": True}).raise_for_status()
    client.reqRealTimeBars(aapl(), 5, "TRADES", False)
    client.reqTickByTickData(aapl(), "AllLast")
    client.reqMktDepth(aapl(), 3, True)
    client.reqHistoricalData(aapl(), "", "1 D", "1 min", "MIDPOINT", False, keepUpToDate=True)

    def told(since: int, client_id: int = 1) -> set[str]:
        entries = desk.stub.entries("message_out")[since:]
        return {entry["name"] for entry in entries if entry["client_id"] == client_id} & set(LIVE)

    desk.let(client, lambda: told(0) == set(LIVE), "all live data", NEXT_BAR_S)
    fault = desk.order("connectivity-lost", data_kept=data_kept)
    desk.let(client, lambda: 1100 in desk.codes, "1100")
    lost = len(desk.stub.entries("message_out"))
    # As long as it takes until the next bar of five seconds.
    client.sleep(5.2)
    assert told(lost) == set()
    desk.lift(fault)
    desk.let(client, lambda: {1101, 1102} & set(desk.codes), "restored")
    back = len(desk.stub.entries("message_out"))
    # A client that comes now shows that the market goes on: what the first one is not told by then, it has lost.
    other = desk.watched(8)
    other.reqRealTimeBars(aapl(), 5, "TRADES", False)
    desk.let(other, lambda: told(back, 8), "a bar for the client that came", NEXT_BAR_S)
    desk.let(client, lambda: told(back) >= after, "what goes on", NEXT_BAR_S)
    assert told(back) == after


def test_connectivity_storm_repeats_itself(desk: Desk) -> None:
    """1100 comes again and again while the connection stays up, and 1102 ends it."""
    client = desk.watched()
    fault = desk.order("connectivity-storm", every_s=0.02)
    desk.let(client, lambda: desk.codes.count(1100) >= 5, "five times 1100")
    desk.lift(fault)
    desk.let(client, lambda: desk.codes[-1] == 1102, "1102")
    client.reqCurrentTime()
    assert desk.codes.count(1100) == desk.hits(fault)
    assert client.isConnected()


@pytest.mark.parametrize(
    ("farm", "broken", "whole"),
    [("market-data", 2103, 2104), ("history", 2105, 2106), ("security-definition", 2157, 2158)],
)
def test_broken_farm_is_told_and_serves_nothing(desk: Desk, farm: str, broken: int, whole: int) -> None:
    """What the farm serves fails, for that client and for one that comes later; the rest works."""
    client = desk.watched()
    fault = desk.order("farm-broken", farm=farm)
    desk.let(client, lambda: broken in desk.codes, "broken")
    ticker = client.reqMktData(aapl())
    served = {
        "security-definition": bool(client.qualifyContracts(aapl())),
        "history": bool(bars(client)),
        "market-data": ticker.bid == 430.46,
    }
    assert served == {name: name != farm for name in served}
    late = desk.watched(2)
    assert client.reqCurrentTime()
    codes = [entry["fields"][3] for entry in desk.stub.entries("message_out") if entry["name"] == "error"]
    assert codes.count(str(broken)) == 2
    assert late.isConnected()
    assert desk.hits(fault) == 3
    desk.lift(fault)
    desk.let(client, lambda: whole in desk.codes, "whole")


def test_inactive_farm_serves_all_the_same(desk: Desk) -> None:
    """2107 looks like trouble and is none: bars come."""
    client = desk.watched()
    fault = desk.order("farm-inactive")
    desk.let(client, lambda: 2107 in desk.codes, "2107")
    assert len(bars(client)) == 5
    assert desk.hits(fault) == 1
    desk.lift(fault)
    desk.let(client, lambda: 2106 in desk.codes, "2106")


def test_client_over_the_message_rate_is_warned_and_dropped(desk: Desk) -> None:
    """Error 100 for each message that is too much; after three of them the connection ends."""
    client = desk.watched()
    fault = desk.order("message-rate", most_per_s=5, strikes=3)
    for _ in range(8):
        client.client.reqCurrentTime()
    wait_until(lambda: desk.stub.entries("connection_closed"), "dropped", evidence=desk.stub.entries)
    notice_loss(client, desk.loop)
    assert desk.codes.count(100) == 3
    assert "max=5 rec=6 (1)" in next(text for _, code, text in desk.told if code == 100)
    assert desk.hits(fault) == 3


def test_slower_client_is_within_the_message_rate(desk: Desk) -> None:
    """What the real gateway takes is taken: the fault does not hit a client that behaves."""
    client = desk.watched()
    fault = desk.order("message-rate", most_per_s=50)
    for _ in range(20):
        client.reqCurrentTime()
    assert (desk.hits(fault), desk.codes) == (0, [])


def test_client_id_in_use_is_refused(desk: Desk) -> None:
    """326 and a closed connection for that id; another one gets in."""
    fault = desk.order("client-id-in-use", client_ids=[7])
    assert desk.attempt(7) == "TimeoutError"
    assert 326 in desk.codes
    assert desk.attempt(8) == "connected"
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert desk.attempt(7) == "connected"


def test_client_id_lingers_after_its_connection_ended(desk: Desk) -> None:
    """Who comes back at once finds the own id taken; a little later it is free."""
    fault = desk.order("client-id-lingers", after_s=0.6)
    assert desk.attempt(7) == "connected"
    assert desk.attempt(7, timeout_s=0.3) == "TimeoutError"
    assert 326 in desk.codes
    assert desk.hits(fault) == 1
    wait_until(lambda: desk.attempt(7, timeout_s=0.5) == "connected", "the id is free again")
    desk.lift(fault)


def test_daily_restart_refuses_and_comes_back_unsteady(desk: Desk) -> None:
    """All are dropped, the port refuses, and who comes first after it hears 1100 and 1102; orders are kept."""
    client = desk.watched()
    trade = client.placeOrder(aapl(), buy(orderRef="kept"))
    desk.let(client, trade.isDone, "filled")
    fault = desk.order("daily-restart", refuse_s=0.5, unsteady_s=1.0)
    notice_loss(client, desk.loop)
    assert desk.attempt() == "ConnectionRefusedError"
    wait_until(lambda: desk.attempt(2) == "connected", "the port is open again")
    again = ib_insync().IB()
    desk.watch(again)
    again.connect("127.0.0.1", desk.stub.port, clientId=1, timeout=5)
    desk.let(again, lambda: 1102 in desk.codes, "1102")
    assert 1100 in desk.codes
    assert [done.order.orderRef for done in again.reqCompletedOrders(apiOnly=False)] == ["kept"]
    again.disconnect()
    assert desk.hits(fault) == 1


def test_daily_restart_that_is_lifted_is_over_at_once(desk: Desk) -> None:
    """No test has to wait for its time to run out."""
    fault = desk.order("daily-restart", refuse_s=60)
    assert desk.attempt() == "ConnectionRefusedError"
    desk.lift(fault)
    assert desk.attempt() == "connected"


def test_needed_login_refuses_until_a_person_logs_in(desk: Desk) -> None:
    """Clients are dropped and refused; after the login they are served."""
    client = desk.watched()
    fault = desk.order("login-needed")
    notice_loss(client, desk.loop)
    assert [desk.attempt(), desk.attempt()] == ["ConnectionRefusedError"] * 2
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert desk.attempt() == "connected"
