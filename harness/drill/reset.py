"""Bringing a stack back to the state in which it came up."""

from __future__ import annotations

import asyncio

from harness.drill.clients import Clients
from harness.runtime.running import RunningStack
from harness.scenario.model import BrokerPart


async def reset(running: RunningStack, clients: Clients, broker: BrokerPart | None = None) -> None:
    """Bring the stack back to the state in which it came up, without restarting any of it.

    Args:
        running: the stack.
        clients: of its parts.
        broker: how the gateway stub is to behave from then on; as it was started where left out.
    """
    adapters = running.stack.adapters
    await asyncio.gather(*(running.proxy(link).heal() for link in running.stack.links))
    # What is still at work there for an earlier drill would store into this one.
    for service in sorted(running.not_idle):
        await running.restart(service)
    running.not_idle.clear()
    if clients.airflow is not None and adapters.airflow is not None:
        if unended := await clients.airflow.unended_runs():
            # A drill was broken off: its tasks would go on in the middle of this one, and store what belongs to no run.
            # Given up first: Airflow deletes no run that goes on, and would resume it with the new workers.
            await asyncio.gather(*(clients.airflow.give_up(run) for run in unended))
            await running.restart(adapters.airflow.tasks_run_in)
        await clients.airflow.forget_runs()
    await running.forget_state()
    if clients.database is not None and adapters.database is not None and adapters.database.empty:
        await clients.database.empty(adapters.database.keep)
    if clients.gateway is not None:
        await clients.gateway.reset(broker.beginning if broker else None)
        if broker is not None:
            await clients.gateway.set_behaviour(broker.settings)
    if clients.sink is not None:
        await clients.sink.reset()
