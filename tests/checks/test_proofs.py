"""The proofs: whatever makes the experiment unsound makes the drill INCONCLUSIVE, never PASS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.checks.finding import Case, Verdict
from harness.checks.registry import PROMISES
from harness.checks.verdict import judge
from harness.history.events import (
    CanarySaw,
    Event,
    FaultHealed,
    FaultMet,
    FaultNeverCame,
    FaultOn,
    ProxyReplaced,
    ServiceEnded,
    Sight,
    Trouble,
    Witness,
)

But = Callable[..., Case]
LINK = "workflow -> backend:8000"
UNSOUND: dict[str, tuple[tuple[type[Event], ...], tuple[Event, ...], str]] = {
    "the canary saw an open link": (
        (),
        (CanarySaw(link=LINK, sight=Sight.ANSWERED, elapsed_s=0.01, fault="fault-1", as_expected=False),),
        "it was switched on but not in effect",
    ),
    "no canary went": ((CanarySaw,), (), "it was switched on but not in effect"),
    "nobody of the system met it": ((FaultMet,), (), "the system never met it"),
    "only the canary met it": (
        (FaultMet,),
        (FaultMet(fault="fault-1", witness=Witness.CANARY, count=9, detail=""),),
        "the system never met it",
    ),
    "its trigger never came": (
        (FaultOn, CanarySaw, FaultHealed),
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
    judgement = judge(case, list(PROMISES))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert any(why in finding.title for finding in judgement.findings)


def test_proxy_replaced_to_heal_is_no_trouble(but_events: But) -> None:
    """A hung Toxiproxy that was replaced to lift a fault is the harness at work, not an accident."""
    replaced = ProxyReplaced(link=LINK, reason="the Toxiproxy server hung", took_s=0.02, expected=True)
    assert judge(but_events(plus=((20.0, replaced),)), list(PROMISES)).verdict is Verdict.PASS
