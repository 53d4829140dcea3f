"""The proofs: anything that makes the experiment unsound makes the drill INCONCLUSIVE, never PASS."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.checks.case import Case
from harness.checks.finding import PlannedFault, Verdict
from harness.checks.verdict import findings_in, judge, verdict_of
from harness.history.events import (
    Event,
    FaultHealed,
    FaultHit,
    FaultNeverCame,
    FaultObserved,
    FaultOn,
    PhaseBegan,
    ProxyReplaced,
    ServiceEnded,
    ServiceRestarted,
    Trouble,
    Witness,
)
from harness.history.measurements import EvidenceMissing, HarnessStalled
from harness.stack.adapters import NotificationsAdapter

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
    "the harness stood still": ((), (HarnessStalled(took_s=20),), "the harness itself stood still"),
    "a log is gone": ((), (EvidenceMissing(what="logs/backend.log has vanished"),), "evidence is missing"),
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
    assert verdict_of(judge(but_events(plus=late), ())) is Verdict.FAIL


def test_service_that_ended_before_any_fault_is_no_fault_of_the_system(but_events: But) -> None:
    """What broke before anything was planned to break makes the experiment unsound, and is no fault of the system."""
    ended = ServiceEnded(service="postgres", returncode=-9, last_output="")
    judged = judge(but_events(plus=((4.5, ended),)), ())
    assert verdict_of(judged) is Verdict.INCONCLUSIVE
    assert "a service ended by itself" in {finding.title for finding in findings_in(judged)}


def test_service_that_another_ones_fault_took_down_is_blamed(but_events: But) -> None:
    """A system in which one part takes another down does not degrade gracefully."""
    ended = ServiceEnded(service="analysis", returncode=1, last_output="")
    judged = judge(but_events(plus=((6.0, ended),)), ())
    assert verdict_of(judged) is Verdict.FAIL
    assert [finding.check for finding in findings_in(judged)] == ["contained"]


def test_stand_in_that_ended_is_no_fault_of_the_system(but_events: But) -> None:
    """The sink is the harness's own witness: without it the drill tells less, and the system is not blamed."""
    ended = ServiceEnded(service="sink", returncode=-9, last_output="")
    case = but_events(plus=((6.0, ended),))
    notifications = case.adapters.model_copy(update={"notifications": NotificationsAdapter(url="http://sink:8080")})
    assert verdict_of(judge(dataclasses.replace(case, adapters=notifications), ())) is Verdict.INCONCLUSIVE


def test_service_that_ended_in_the_final_reads_is_no_fault_of_the_system(but_events: But) -> None:
    """The system had recovered by then: no fault explains it."""
    ended = ServiceEnded(service="postgres", returncode=-9, last_output="")
    plus = ((25.6, PhaseBegan(phase="reads")), (25.7, ended))
    assert verdict_of(judge(but_events(plus=plus), ())) is Verdict.INCONCLUSIVE


def test_service_that_came_back_by_its_own_policy_is_judged_by_its_recovery(but_events: But) -> None:
    """Restart policies are how many systems recover."""
    ended = ServiceEnded(service="analysis", returncode=1, last_output="")
    back = ServiceRestarted(service="analysis", took_s=1.0)
    assert verdict_of(judge(but_events(plus=((6.0, ended), (7.0, back))), ())) is Verdict.PASS


def test_fault_of_a_service_is_met_by_the_kernels_word(but_events: But) -> None:
    """What the kernel has counted is as good as what the proxy or the system tells."""
    met = FaultHit(fault="fault-1", witness=Witness.KERNEL, count=3, detail="times that the kernel throttled it")
    of_service = but_events(without=(FaultHit,), plus=((8.0, met),))
    of_service = dataclasses.replace(of_service, faults=(PlannedFault("fault-1", "backend", "throttled"),))
    assert verdict_of(judge(of_service, ())) is Verdict.PASS


@pytest.mark.parametrize("hits", [(), (FaultHit(fault="fault-1", witness=Witness.LINK_PROBE, count=9, detail=""),)])
def test_fault_that_hit_nothing_is_no_pass(sound: Case, but: But, but_events: But, hits: tuple[FaultHit, ...]) -> None:
    """A run that went well under a fault that hit nothing tells nothing; the harness's own probe does not count."""
    met = but_events(without=(FaultHit,), plus=tuple((8.0, each) for each in hits))
    words = tuple(dataclasses.replace(row, outcome="success", reasons="[]") for row in sound.reads.outcomes)
    case = dataclasses.replace(met, reads=but(outcomes=words, notifications=()).reads)
    judged = judge(case, ())
    assert verdict_of(judged) is Verdict.INCONCLUSIVE
    assert any("hit nothing of the system" in finding.title for finding in findings_in(judged))


def test_silence_of_the_log_makes_no_verdict_milder(but_events: But) -> None:
    """A run that says that it is degraded was hit by the fault; that its log is silent is a finding of its own."""
    judged = judge(but_events(without=(FaultHit,)), ())
    assert verdict_of(judged) is Verdict.FAIL
    assert [(each.check, each.title) for each in findings_in(judged)] == [("not-silent", "a failure is in no log")]
