"""The steady state: every link answers, and a run succeeds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.drill.clients import Clients
from harness.drill.final_reads import read_outcomes
from harness.drill.observer import RunWatch
from harness.drill.usage import links_counted
from harness.drill.workloads.workload import Workload
from harness.errors import NotSteady
from harness.history.events import LinkProbed, ProbeOutcome
from harness.history.history import HistoryWriter
from harness.history.reads import OutcomeRow
from harness.history.roles import RunRole
from harness.history.unended import still_at_work
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_probe import GREETINGS
from harness.stack.link import Link


async def links_answer(running: RunningStack, history: HistoryWriter) -> int:
    """Send a probe through every link.

    Returns:
        How many links answered: all of them.

    Raises:
        NotSteady: a link does not answer.
    """
    probed = await asyncio.gather(*(_through(running, link) for link in running.stack.links))
    for link, outcome, elapsed_s in probed:
        event = LinkProbed(
            link=str(link), outcome=outcome, elapsed_s=elapsed_s, as_expected=outcome is ProbeOutcome.ANSWERED
        )
        history.add(event)
    silent = [f"{link} ({outcome})" for link, outcome, _ in probed if outcome is not ProbeOutcome.ANSWERED]
    if silent:
        raise NotSteady(f"every link should answer a link probe; these do not: {', '.join(silent)}")
    return len(probed)


async def _through(running: RunningStack, link: Link) -> tuple[Link, ProbeOutcome, float]:
    greeting = GREETINGS[running.stack.link_probes.get((link.server, link.port), "tcp")]
    seen = await running.proxy(link).probe(greeting, 2.0)
    return link, seen.outcome, seen.elapsed_s


async def run_succeeds(
    workload: Workload, clients: Clients, running: RunningStack, history: HistoryWriter, limit_s: float
) -> None:
    """Run the system's work without any fault.

    Raises:
        NotSteady: it did not succeed within ``limit_s``, or does not say so.
    """
    watch = workload.new(RunRole.STEADY)
    async with links_counted(running, history, watch):
        ended = await workload.go(watch, limit_s)
    if not ended:
        stuck = still_at_work(history.so_far(), watch.run_id)
        raise NotSteady(f"a run without any fault had not ended after {limit_s:g} s: {stuck}")
    outcomes = await read_outcomes(clients, running)
    says_so = running.stack.adapters.outcome is not None
    if ended_well(watch, outcomes, says_so=says_so):
        running.notices.steady = True
        return
    word = next((row for row in outcomes if row.execution_id == watch.run_id), None)
    failed = [task for task, (state, _) in watch.tasks.items() if state == "failed"]
    said = f" and says {f'{word.outcome!r} ({word.reasons})' if word else 'nothing'}" if says_so else ""
    tasks = f"; failed tasks: {', '.join(failed) or 'none'}" if watch.tasks else ""
    raise NotSteady(f"a run without any fault ended as {watch.state}{said}{tasks}")


def ended_well(watch: RunWatch, outcomes: Sequence[OutcomeRow], *, says_so: bool) -> bool:
    """Whether a run succeeded, also by the system's own word where it has one."""
    word = next((row.outcome for row in outcomes if row.execution_id == watch.run_id), None)
    return watch.state == "success" and (word == "success" or not says_so)
