"""The words of a feature mean what they say, and words that mean nothing are refused by name."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError
from harness.faults.gateway.fault import GatewayFault
from harness.faults.gateway.sayings import SAYINGS
from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.fault import LinkFault
from harness.faults.link.latency import Latency
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.disk_full import DiskFull
from harness.faults.service.fault import ServiceFault
from harness.faults.service.kill import Kill
from harness.faults.service.memory_limit import MemoryLimit
from harness.faults.service.packet_loss import PacketLoss
from harness.faults.service.partition import Partition
from harness.faults.service.pause import Pause
from harness.faults.service.process_limit import ProcessLimit
from harness.faults.service.restart import Restart
from harness.faults.service.stop import Stop
from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.gherkin import phrases
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, NthRequest, OrderAtBroker, TaskState, Trigger

LINK = "workflow -> backend"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("is refused", Refused()),
        ("is reset", Reset()),
        ("is blackholed", Blackhole()),
        ("loses its answers", AnswerLost()),
        ("is 500 ms late", Latency(delay_ms=500)),
        ("answers 500 ms late", Latency(delay_ms=500)),
        ('is "answer-lost"', AnswerLost()),
    ],
)
def test_fault_words_name_a_fault(words: str, fault: LinkFault) -> None:
    """Each fault can be said."""
    assert phrases.injection(LINK, words, "for 15 s", "").fault == fault


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("is killed", Kill()),
        ("is stopped", Stop()),
        ("is paused", Pause()),
        ("is partitioned", Partition()),
        ("loses 20 % of its packets", PacketLoss(percent=20)),
        ("gets 0.5 cores", CpuLimit(cpus=0.5)),
        ("gets 64 MiB of memory", MemoryLimit(mib=64)),
        ("may have 1 process", ProcessLimit(pids=1)),
        ("may have 20 processes", ProcessLimit(pids=20)),
        ("finds /var/lib/trading full", DiskFull(path="/var/lib/trading")),
        ("finds /var/lib/trading read-only", VolumeReadOnly(path="/var/lib/trading")),
    ],
)
def test_fault_words_name_a_fault_of_a_service(words: str, fault: ServiceFault) -> None:
    """Each fault can be said of a service; the restart, which is over by itself, without a time."""
    injection = phrases.injection("backend", words, "for 15 s", "")
    assert (injection.service, injection.fault) == ("backend", fault)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("has the gateway fault order-doubled", GatewayFault(gateway="order-doubled")),
        ("rejects one order", GatewayFault(gateway="order-rejected", times=1)),
        ("answers orders with error 10349", GatewayFault(gateway="order-error", parameters={"code": 10349})),
        ("restarts for 0.5 s", GatewayFault(gateway="daily-restart", parameters={"refuse_s": 0.5})),
        ("loses its connection to IB", GatewayFault(gateway="connectivity-lost")),
    ],
)
def test_fault_words_name_a_fault_of_the_gateway(words: str, fault: GatewayFault) -> None:
    """The most used ones have words of their own, and every one can be named."""
    injection = phrases.injection("ibkr-gateway", words, "until the run ends", "at the third order")
    assert (injection.fault, injection.start) == (fault, NthRequest(request="placeOrder", nth=3))


@pytest.mark.parametrize("phrase", SAYINGS)
def test_every_saying_of_the_gateway_means_a_fault(phrase: str) -> None:
    """With a value in the place of what a feature says itself."""
    said = phrase.replace("{code}", "110").replace("{refuse_s}", "5").replace("{to}", "open")
    assert isinstance(phrases.injection("ibkr-gateway", said, "for 5 s", "").fault, GatewayFault)


def test_fault_that_the_gateway_does_not_have_is_refused_with_the_words() -> None:
    """The author of a feature reads what was said, and what there is."""
    with pytest.raises(ScenarioError, match=r"has the gateway fault order-hold: .*did you mean 'order-held'"):
        phrases.injection("ibkr-gateway", "has the gateway fault order-hold", "for 5 s", "")


def test_restart_has_no_time() -> None:
    """It lasts as long as the service needs."""
    assert phrases.injection("backend", "is restarted", "", "").fault == Restart()
    with pytest.raises(ScenarioError, match="a restart is over by itself"):
        phrases.injection("backend", "is restarted", "for 15 s", "")


@pytest.mark.parametrize(("target", "words"), [("backend", "is refused"), (LINK, "is killed")])
def test_fault_of_the_wrong_kind_of_target_is_refused(target: str, words: str) -> None:
    """A link cannot be killed, and a service is not refused."""
    with pytest.raises(ScenarioError, match=f"no phrase says '{words}' as the fault of a (link|service)"):
        phrases.injection(target, words, "for 15 s", "")


@pytest.mark.parametrize(
    ("words", "trigger"),
    [
        ("", BeforeRun(before="run")),
        ("from before the run on", BeforeRun(before="run")),
        ("before the run", BeforeRun(before="run")),
        ("2.5 s into the run", AtTime(at_s=2.5)),
        ('once task "place_order" is running', TaskState(task="place_order")),
        ('once task "place_order" has succeeded', TaskState(task="place_order", state="success")),
        ('once task "place_order" has failed', TaskState(task="place_order", state="failed")),
        ("once the broker has received order 1", OrderAtBroker(order=1)),
        ("once the broker has received the second order", OrderAtBroker(order=2)),
        ("once the third connection is made over it", NthConnection(connection=3)),
    ],
)
def test_trigger_words_name_a_trigger(words: str, trigger: Trigger) -> None:
    """Each trigger can be said."""
    assert phrases.injection(LINK, "is refused", "for 15 s", words).start == trigger


@pytest.mark.parametrize(
    ("fault", "lasts", "start", "message"),
    [
        ("is tickled", "for 15 s", "", "no phrase says 'is tickled' as the fault of a link"),
        ("is refused", "for 15 s", "once upon a time", "no phrase says 'once upon a time' as the start of a fault"),
        ("is refused", "for 0 s", "", "for_s"),
        ("is 0 ms late", "for 15 s", "", "delay_ms"),
        ("is refused", "for 15 s", 'once task "place_order" is dancing', "state"),
        ("is refused", "", "", "for_s: is required"),
        ("is refused", "for ever", "", "no phrase says 'for ever' as the duration of a fault"),
        ('is "latency"', "for 15 s", "", "delay_ms"),
    ],
)
def test_words_without_meaning_are_refused(fault: str, lasts: str, start: str, message: str) -> None:
    """The error names the words, and what there is."""
    with pytest.raises(ScenarioError, match=message):
        phrases.injection(LINK, fault, lasts, start)


@pytest.mark.parametrize(("text", "number"), [("no", 0), ("one", 1), ("ten", 10), ("12", 12)])
def test_count_reads_words_and_digits(text: str, number: int) -> None:
    """Small numbers may be written out."""
    assert phrases.count(text) == number


def test_count_of_many_is_refused() -> None:
    """A number that is none is named."""
    with pytest.raises(ScenarioError, match="'many'"):
        phrases.count("many")


def test_outcome_unknown_is_refused() -> None:
    """The error lists how a run may report itself."""
    with pytest.raises(ScenarioError, match=r"'happy'.*degraded"):
        phrases.outcome("happy")


@pytest.mark.parametrize("text", ["AAPL, MSFT and IBM", "AAPL,MSFT,IBM", "AAPL and MSFT and IBM"])
def test_symbols_are_split_as_people_write_them(text: str) -> None:
    """Commas and "and" both separate."""
    assert phrases.symbols(text) == ["AAPL", "MSFT", "IBM"]


@pytest.mark.parametrize(
    ("test", "name"),
    [("test_refused_while_charts_are_drawn", "refused-while-charts-are-drawn"), ("test_lost[AAPL-5]", "lost-aapl-5")],
)
def test_scenario_name_fits_a_file(test: str, name: str) -> None:
    """A scenario is called as its test is, without what a file's name may not have."""
    assert phrases.scenario_name(test) == name
