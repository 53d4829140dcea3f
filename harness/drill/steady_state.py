"""The steady state: every link answers, Airflow is whole, and a run of the workflow succeeds."""

from __future__ import annotations

import asyncio

from harness.drill.clients import Clients
from harness.drill.runs import Runs
from harness.errors import DeadlineExceeded, HarnessError
from harness.history.events import CanarySaw, RunRole, Sight
from harness.history.history import HistoryWriter
from harness.runtime.canary import GREETINGS, send_canary
from harness.runtime.running import RunningStack
from harness.stack.link import Link

_AIRFLOW_DEADLINE_S = 30.0
_POLL_S = 0.05
STEADY_RUN_LIMIT_S = 60.0


class NotSteady(HarnessError):
    """The steady state does not hold; the message says what is missing."""


async def links_answer(running: RunningStack, history: HistoryWriter) -> int:
    """Send a canary through every link.

    Returns:
        How many links answered: all of them.

    Raises:
        NotSteady: a link does not answer.
    """
    sights = await asyncio.gather(*(_through(running, link) for link in running.stack.links))
    for link, sight, elapsed_s in sights:
        event = CanarySaw(link=str(link), sight=sight, elapsed_s=elapsed_s, as_expected=sight is Sight.ANSWERED)
        history.add(event)
    silent = [f"{link} ({sight})" for link, sight, _ in sights if sight is not Sight.ANSWERED]
    if silent:
        raise NotSteady(f"every link should answer a canary; these do not: {', '.join(silent)}")
    return len(sights)


async def _through(running: RunningStack, link: Link) -> tuple[Link, Sight, float]:
    greeting = GREETINGS[running.stack.canaries.get((link.server, link.port), "tcp")]
    seen = await send_canary(running.link_address(link), greeting, timeout_s=2.0)
    return link, seen.sight, seen.elapsed_s


async def airflow_is_whole(clients: Clients) -> None:
    """Wait until every part of Airflow is healthy and the DAG is known, without import errors.

    Raises:
        NotSteady: a DAG file cannot be imported.
        DeadlineExceeded: it did not become whole in time.
    """
    reason = "it was never asked"
    try:
        async with asyncio.timeout(_AIRFLOW_DEADLINE_S):
            while True:
                sick = (await clients.airflow.health()).sick
                known = await clients.airflow.dag_is_known()
                if not sick and known:
                    return
                reason = "; ".join(sick) or f"the DAG {clients.airflow.dag} is not known"
                failures = await clients.airflow.import_failures()
                if failures:
                    trace = failures[0].stack_trace or ""
                    last = trace.strip().splitlines()[-1] if trace.strip() else ""
                    raise NotSteady(f"Airflow cannot import {failures[0].filename}: {last}", evidence=trace)
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DeadlineExceeded(f"Airflow was not whole within {_AIRFLOW_DEADLINE_S:g} s: {reason}") from None


async def run_succeeds(runs: Runs, clients: Clients, outcome_sql: str) -> None:
    """Run the workflow without any fault.

    Raises:
        NotSteady: it did not succeed, or does not say so.
    """
    watch = runs.new(RunRole.STEADY)
    if not await runs.go(watch, STEADY_RUN_LIMIT_S):
        raise NotSteady(f"a run without any fault had not ended after {STEADY_RUN_LIMIT_S:g} s")
    outcomes = await clients.database.outcomes(outcome_sql)
    word = next((row for row in outcomes if row.execution_id == watch.run_id), None)
    if watch.state != "success" or word is None or word.outcome != "success":
        failed = ", ".join(task for task, (state, _) in watch.tasks.items() if state == "failed") or "none"
        said = f"{word.outcome!r} ({word.reasons})" if word else "nothing"
        raise NotSteady(f"a run without any fault ended as {watch.state} and says {said}; failed tasks: {failed}")
