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
from harness.history.events import LinkProbed
from harness.history.history import HistoryWriter
from harness.history.reads import OutcomeRow
from harness.history.roles import RunRole
from harness.history.unended import still_at_work
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.effects.usual import Usual
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_probe import ProbeResult
from harness.stack.link import Link

_PROBE_TIMEOUT_S = 2.0


async def links_answer(running: RunningStack, history: HistoryWriter) -> int:
    """Send a probe through every link; where a server has no protocol, it should do what it did the first time.

    Returns:
        How many links answered: all of them.

    Raises:
        NotSteady: a link does not answer.
    """
    before = {event.link: event.outcome for _, event in reversed(list(history.so_far().of(LinkProbed)))}
    probed = await asyncio.gather(*(_through(running, link) for link in running.stack.links))
    silent: list[str] = []
    for endpoint, seen in probed:
        first = before.get(endpoint.name)
        usual = None if first is None else Usual(first, seen.elapsed_s, seen.elapsed_s)
        well = endpoint.is_as_usual(seen, usual)
        history.add(LinkProbed(link=endpoint.name, outcome=seen.outcome, elapsed_s=seen.elapsed_s, as_expected=well))
        if not well:
            silent.append(f"{endpoint.name} ({seen.outcome})")
    if silent:
        raise NotSteady(f"every link should answer a link probe; these do not: {', '.join(silent)}")
    return len(probed)


async def _through(running: RunningStack, link: Link) -> tuple[Endpoint, ProbeResult]:
    endpoint = Endpoint.through(running, link)
    return endpoint, await endpoint.probe(_PROBE_TIMEOUT_S)


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
