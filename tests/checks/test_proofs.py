"""The proofs: anything that makes the experiment unsound makes the drill INCONCLUSIVE, never PASS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks.case import Case
from harness.checks.finding import Verdict
from harness.checks.verdict import findings_in, judge, verdict_of
from harness.history.events import (
    Event,
    FaultHealed,
    FaultHit,
    FaultNeverCame,
    FaultObserved,
    FaultOn,
    ProxyReplaced,
    ServiceEnded,
    Trouble,
    Witness,
)

But = Callable[..., Case]
LINK = "workflow -> backend:8000"
UNSOUND: dict[str, tuple[tuple[type[Event], ...], tuple[Event, ...], str]] = {
    "the link probe saw an open link": (
        (),
        (
            FaultObserved(
                fault="fault-1", target=LINK, saw="a probe through the link was 'answered'", as_expected=False
            ),
        ),
        "it was switched on but not in effect",
    ),
    "the harness did not observe it": ((FaultObserved,), (), "it was switched on but not in effect"),
    "it hit nothing of the system": ((FaultHit,), (), "hit nothing of the system"),
    "it hit only the link probe": (
        (FaultHit,),
        (FaultHit(fault="fault-1", witness=Witness.LINK_PROBE, count=9, detail=""),),
        "hit nothing of the system",
    ),
    "its trigger never came": (
        (FaultOn, FaultObserved, FaultHealed),
        (FaultNeverCame(fault="fault-1", cause="its trigger never happened"),),
        "never switched on",
    ),
    "it was not healed": ((FaultHealed,), (), "not healed"),
    "a proxy died": (
        (),
        (ProxyReplaced(link=LINK, reason="the Toxiproxy server died", took_s=0.02, expected=False),),
        "a proxy was lost",
    ),
    "a service ended": ((), (ServiceEnded(service="postgres", returncode=-9, last_output=""),), "a service ended"),
    "the harness had trouble": ((), (Trouble(what="Airflow did not answer"),), "could not do its work"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_unsound_drill_is_inconclusive(but_events: But, name: str) -> None:
    """Each of these makes a drill that otherwise passes INCONCLUSIVE, and the finding says why."""
    without, added, why = UNSOUND[name]
    case = but_events(without=without, plus=tuple((22.0, event) for event in added))
    judged = judge(case, ())
    assert verdict_of(judged) is Verdict.INCONCLUSIVE
    assert any(why in finding.title for finding in findings_in(judged))


def test_full_disk_is_told_as_the_reason_of_an_end(but_events: But) -> None:
    """The reason that a person can do something about is in the finding, not only in the log."""
    said = "PANIC: could not write to file: No space left on device"
    ended = ServiceEnded(service="postgres", returncode=1, last_output=said)
    found = {finding.found for finding in findings_in(judge(but_events(plus=((22.0, ended),)), ()))}
    assert "it ended with exit code 1, with no space left on its disk" in found


def test_proxy_replaced_to_heal_is_no_trouble(but_events: But) -> None:
    """A hung Toxiproxy that was replaced to lift a fault is the harness at work, not an accident."""
    replaced = ProxyReplaced(link=LINK, reason="the Toxiproxy server hung", took_s=0.02, expected=True)
    assert verdict_of(judge(but_events(plus=((20.0, replaced),)), ())) is Verdict.PASS


def test_service_ended_by_its_own_fault_is_no_trouble(but_events: But) -> None:
    """A service that is killed for want of memory, while that is its fault, ends as planned; any other does not."""
    on = FaultOn(fault="fault-2", target="backend", what="limited to 9 MiB", cause="before the run", took_s=0.1)
    looked = FaultObserved(target="backend", saw="killed by the kernel", fault="fault-2", as_expected=True)
    healed = FaultHealed(fault="fault-2", target="backend", took_s=1.0)
    ended = ServiceEnded(service="backend", returncode=137, last_output="")
    planned = ((5.5, on), (5.6, looked), (7.0, ended), (19.0, healed))
    assert verdict_of(judge(but_events(plus=planned), ())) is Verdict.PASS
    late = (*planned[:2], planned[3], (21.0, ended))
    assert verdict_of(judge(but_events(plus=late), ())) is Verdict.INCONCLUSIVE
    other = (*planned, (7.5, ServiceEnded(service="postgres", returncode=1, last_output="")))
    assert verdict_of(judge(but_events(plus=other), ())) is Verdict.INCONCLUSIVE


def test_fault_of_a_service_is_met_by_the_kernels_word(but_events: But) -> None:
    """What the kernel has counted is as good as what the proxy or the system tells."""
    met = FaultHit(fault="fault-1", witness=Witness.KERNEL, count=3, detail="times that the kernel throttled it")
    assert verdict_of(judge(but_events(without=(FaultHit,), plus=((8.0, met),)), ())) is Verdict.PASS
