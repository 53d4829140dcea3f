"""The clients of one drill: every outside API that it asks, opened together and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness.clients.airflow import Airflow
from harness.clients.database import SystemDatabase
from harness.clients.gateway import GatewayControl
from harness.clients.notifications import NotificationSink
from harness.runtime.running import RunningStack


@dataclass(frozen=True, slots=True)
class Clients:
    """Airflow, the gateway's control port, the notification sink and the system's database."""

    airflow: Airflow
    gateway: GatewayControl
    sink: NotificationSink
    database: SystemDatabase


@asynccontextmanager
async def open_clients(running: RunningStack) -> AsyncIterator[Clients]:
    """Open them at the direct addresses of a running stack, around every proxy."""
    adapters = running.stack.adapters
    airflow = Airflow(
        url=running.readdress(adapters.airflow.url),
        username=adapters.airflow.username,
        password=adapters.airflow.password,
        dag=adapters.airflow.dag,
    )
    gateway = GatewayControl(running.readdress(adapters.gateway.control))
    sink = NotificationSink(running.readdress(adapters.notifications.url))
    async with airflow, gateway, sink:
        await gateway.refuse_live_account()
        await airflow.log_in()
        yield Clients(airflow, gateway, sink, SystemDatabase(running.readdress(adapters.database.dsn)))
