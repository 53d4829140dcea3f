"""What an endpoint does without a fault is the measure of what it does under it."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from harness.faults.link.blackhole import Blackhole
from harness.faults.link.latency import Latency
from harness.history.events import ProbeOutcome
from harness.runtime.effects.effect import Effect
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.effects.registry import effect_of
from harness.runtime.effects.usual import Usual
from harness.runtime.local.stack import LocalStack
from harness.runtime.toxiproxy.link_probe import ProbeResult

ANSWERED, SILENT, ENDED = ProbeOutcome.ANSWERED, ProbeOutcome.SILENT, ProbeOutcome.ENDED


def probe(outcome: ProbeOutcome, elapsed_s: float = 0.01, *, connected: bool = True) -> ProbeResult:
    """What a probe came to."""
    return ProbeResult(outcome, elapsed_s, 40_000, connected)


@pytest.mark.parametrize(
    ("usual_s", "took_s", "late"),
    [
        ((0.01, 0.01, 0.02), 0.62, True),
        ((0.01, 0.01, 0.02), 0.59, False),  # sooner than the delay
        ((0.7, 0.7, 0.7), 0.72, False),  # a link that is slow by itself proves nothing
        ((0.7, 0.7, 0.7), 1.31, True),
        ((0.01, 0.8, 0.9), 0.75, False),  # no later than some answers were before
        ((0.01, 0.01, 0.9), 0.65, True),  # one that was slow by itself is not the measure
    ],
)
def test_latency_is_held_against_the_link_itself(usual_s: tuple[float, ...], took_s: float, *, late: bool) -> None:
    """An answer is late only if it took the delay, and clearly longer than on the same link before."""
    usual = Usual.of([probe(ANSWERED, each) for each in usual_s])
    assert usual.is_late(took_s, 0.6) is late


def test_slow_link_is_not_healed_while_it_is_late() -> None:
    """A link that takes 0.5 s by itself is not told to be healed of 0.3 s at 0.8 s, and is at 0.5 s."""
    usual = Usual.of([probe(ANSWERED, 0.5)] * 3)
    assert [usual.is_as_soon(took_s, 0.3) for took_s in (0.8, 0.5)] == [False, True]


@pytest.mark.parametrize(
    ("usual", "result", "as_usual"),
    [
        (SILENT, probe(SILENT), True),
        (SILENT, probe(SILENT, connected=False), False),
        (SILENT, probe(ENDED), False),
        (ANSWERED, probe(SILENT), False),
        (ANSWERED, probe(ANSWERED), True),
        (ENDED, probe(ENDED), True),
    ],
)
def test_port_without_a_protocol_is_held_against_itself(
    usual: ProbeOutcome, result: ProbeResult, *, as_usual: bool
) -> None:
    """Silence is as usual only where there was silence before, on a connection that was accepted."""

    def unused(*_: object) -> Awaitable[ProbeResult]:
        raise NotImplementedError

    assert Endpoint("server:1", "tcp", unused).is_as_usual(result, Usual(usual, 0, 0)) is as_usual


@pytest.mark.anyio
async def test_silence_of_a_mute_port_proves_no_blackhole(local_stack: LocalStack) -> None:
    """Where the server waits for its client's first word, silence is no proof, and what to do is said."""
    link = local_stack.stack.links[0]
    effect = effect_of(Blackhole(), local_stack, str(link))
    without_protocol(effect, local_stack)
    await effect.arm()
    await effect.put_on()
    seen = await effect.observe()
    await effect.lift()
    assert not seen.as_expected
    assert "name the protocol of server:8000 in x-harness.link_probes" in seen.saw
    assert (await effect.verify_healed()).as_expected


@pytest.mark.anyio
async def test_latency_without_a_baseline_is_not_proven(local_stack: LocalStack) -> None:
    """What was not measured before cannot be told to be late."""
    effect = effect_of(Latency(delay_ms=50), local_stack, str(local_stack.stack.links[0]))
    await effect.put_on()
    assert not (await effect.observe()).as_expected
    await effect.lift()


def without_protocol(effect: Effect[Blackhole], stack: LocalStack) -> None:
    """Have an effect of a link know no protocol of its server."""
    link = stack.stack.links[0]
    vars(effect)["_endpoint"] = Endpoint(str(link), "tcp", stack.proxy(link).probe)
