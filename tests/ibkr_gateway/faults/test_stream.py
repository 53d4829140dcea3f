"""Answers that do not come, come late, or break off."""

from __future__ import annotations

import time

import pytest

from tests.ibkr_gateway.faults.desk import Desk, aapl, bars, buy
from tests.ibkr_gateway.stub import ib_insync, notice_loss, wait_until


def test_silent_gateway_never_answers_a_handshake(desk: Desk) -> None:
    """It accepts, and the client times out; a client that is connected already hears nothing either."""
    client = desk.watched()
    fault = desk.order("silent")
    assert desk.attempt(2, timeout_s=0.3) == "TimeoutError"
    assert list(bars(client, timeout_s=0.2)) == []
    assert client.isConnected()
    assert desk.hits(fault) == 3, "the handshake, the bars, and the client's word that it no longer waits for them"
    desk.lift(fault)
    assert desk.attempt(2) == "connected"


def test_silence_of_one_request_leaves_the_others(desk: Desk) -> None:
    """Bars never come; the time does."""
    client = desk.watched()
    fault = desk.order("silent", requests=["reqHistoricalData"])
    assert list(bars(client, timeout_s=0.2)) == []
    assert client.reqCurrentTime()
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert len(bars(client)) == 5


@pytest.mark.parametrize("still_done", [False, True])
def test_unanswered_order_is_placed_only_if_it_is_still_done(desk: Desk, *, still_done: bool) -> None:
    """The client hears nothing of its order; whether the broker has it, only the ledger tells."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("silent", requests=["placeOrder"], still_done=still_done)
    trade = client.placeOrder(aapl(), buy(orderRef="unheard"))
    wait_until(lambda: desk.hits(fault) == 1 and len(desk.stub.entries("fill")) == still_done, "dealt with")
    client.reqCurrentTime()
    assert trade.orderStatus.status == "PendingSubmit"
    assert [(order["order_ref"], order["status"]) for order in desk.stub.orders()] == (
        [("unheard", "Filled")] if still_done else []
    )
    found = client.reqCompletedOrders(apiOnly=False)
    assert [done.order.orderRef for done in found] == (["unheard"] if still_done else [])


def test_every_answer_is_late_by_the_delay(desk: Desk) -> None:
    """Each answer of its own takes the delay, and those in flight together take it together."""
    client = desk.watched()
    fault = desk.order("slow", delay_s=0.3)
    began_s = time.monotonic()
    client.reqCurrentTime()
    one_s = time.monotonic() - began_s
    began_s = time.monotonic()
    client.qualifyContracts(aapl(), ib_insync().Stock("IBM", "SMART", "USD"))
    two_s = time.monotonic() - began_s
    assert one_s >= 0.3
    assert 0.3 <= two_s < 0.6 + 5
    assert desk.hits(fault) == 1 + 4
    sent = [entry for entry in desk.stub.entries("message_out") if entry["name"].startswith("contractDetails")]
    assert sent[-1]["mono_s"] - sent[0]["mono_s"] < 0.3, "they waited together"


def test_every_message_takes_the_delay(desk: Desk) -> None:
    """One after the other, in their order."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("slow", delay_s=0.05, each="message")
    began_s = time.monotonic()
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: trade.isDone() and trade.fills and trade.fills[0].commissionReport.execId, "filled")
    took_s = time.monotonic() - began_s
    sent = [entry["name"] for entry in desk.stub.entries("message_out")]
    order = sent[len(sent) - 1 - sent[::-1].index("openOrder") - 5 :][:8]
    assert order == ["openOrder", "orderStatus"] * 2 + ["execDetails", "openOrder", "orderStatus", "commissionReport"]
    assert took_s >= 8 * 0.05
    assert desk.hits(fault) >= 8


def test_lifting_delivers_what_was_on_its_way_in_order(desk: Desk) -> None:
    """Nothing is lost, and nothing overtakes."""
    client = desk.watched()
    fault = desk.order("slow", delay_s=3600)
    client.client.reqCurrentTime()
    wait_until(lambda: desk.hits(fault) == 1, "on its way")
    desk.lift(fault)
    assert client.reqCurrentTime()
    names = [entry["name"] for entry in desk.stub.entries("message_out")[-2:]]
    assert names == ["currentTime", "currentTime"]


@pytest.mark.parametrize(("end", "fraction"), [("reset", 0.5), ("reset", 0), ("half-close", 0.5)])
def test_connection_is_lost_while_bars_come_in(desk: Desk, end: str, fraction: float) -> None:
    """The client gets no bars, and knows that it is disconnected; it can come back."""
    client = desk.watched()
    fault = desk.order("history-cut", end=end, fraction=fraction, times=1)
    with pytest.raises(ConnectionError):
        bars(client)
    notice_loss(client, desk.loop)
    assert desk.hits(fault) == 1
    assert len(bars(desk.watched(2))) == 5


def test_frame_is_truncated_and_the_stream_ends(desk: Desk) -> None:
    """Half a message, then the end."""
    client = desk.watched()
    fault = desk.order("truncated-frame", message="historicalData")
    with pytest.raises(ConnectionError):
        bars(client)
    assert desk.hits(fault) == 1


@pytest.mark.parametrize("times", [None, 1])
def test_stall_in_mid_frame_holds_up_everything_behind_it(desk: Desk, times: int | None) -> None:
    """The connection seems alive and no answer gets through; once lifted, all come, and none is missing."""
    client = desk.watched()
    fault = desk.order("truncated-frame", message="historicalData", then="stall", times=times)
    assert list(bars(client, timeout_s=0.2)) == []
    waiting = client.reqCurrentTimeAsync()
    client.sleep(0.1)
    assert client.isConnected()
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert desk.loop.run_until_complete(waiting)
    assert len(bars(client)) == 5


@pytest.mark.parametrize("name", ["absurd-length", "garbage-bytes"])
def test_nonsense_in_the_stream_gets_the_client_stuck(desk: Desk, name: str) -> None:
    """No answer gets through any more while the connection seems alive; lifting ends it, and a new one works."""
    client = desk.watched()
    fault = desk.order(name, message="historicalData", times=1)
    assert list(bars(client, timeout_s=0.2)) == []
    client.client.reqCurrentTime()
    assert client.isConnected()
    assert desk.hits(fault) == 1
    desk.lift(fault)
    notice_loss(client, desk.loop)
    assert len(bars(desk.watched(2))) == 5


def test_garbage_fields_cost_one_answer(desk: Desk) -> None:
    """The client cannot read one message; the next one is readable."""
    client = desk.watched()
    fault = desk.order("garbage-fields", times=1)
    assert list(bars(client, timeout_s=0.2)) == []
    assert desk.hits(fault) == 1
    assert len(bars(client)) == 5


@pytest.mark.parametrize("name", ["server-version-too-low", "garbage-handshake"])
def test_bad_handshake_keeps_clients_out(desk: Desk, name: str) -> None:
    """The client gives up; once lifted, it gets in."""
    fault = desk.order(name)
    assert desk.attempt(timeout_s=0.5) in {"TimeoutError", "ConnectionError"}
    assert desk.hits(fault) == 1
    desk.lift(fault)
    assert desk.attempt() == "connected"


def test_split_handshake_is_read_by_a_patient_client(desk: Desk) -> None:
    """ib_insync waits for the rest of the frame."""
    fault = desk.order("split-handshake", gap_s=0.1)
    assert desk.attempt(timeout_s=2) == "connected"
    assert desk.hits(fault) == 1


def test_account_download_never_ends(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """The values come, their end does not: the client says so, and goes on."""
    fault = desk.order("no-account-download-end")
    client = ib_insync().IB()
    client.connect("127.0.0.1", desk.stub.port, clientId=3, timeout=0.5)
    assert any(value.tag == "NetLiquidation" for value in client.accountValues())
    client.disconnect()
    assert "account updates request timed out" in caplog.text
    assert desk.hits(fault) == 1


def test_second_client_does_not_notice_what_happens_to_the_first(desk: Desk) -> None:
    """A stream that is broken for one is whole for the other."""
    broken, whole = desk.watched(1), desk.watched(2)
    fault = desk.order("absurd-length", message="historicalData", times=1)
    assert list(bars(broken, timeout_s=0.2)) == []
    assert desk.hits(fault) == 1
    assert len(bars(whole)) == 5
