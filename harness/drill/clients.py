"""The clients of one drill: every outside API that the stack's file names, opened together and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.clients.airflow import Airflow
from harness.clients.airflow_v1 import AirflowV1
from harness.clients.airflow_v2 import AirflowV2
from harness.clients.database import SystemDatabase
from harness.clients.gateway import GatewayControl
from harness.clients.notifications import NotificationSink
from harness.errors import StackError, UsageError
from harness.runtime.running import RunningStack

_AIRFLOWS: Mapping[str, type[AirflowV1 | AirflowV2]] = {"v1": AirflowV1, "v2": AirflowV2}


@dataclass(frozen=True, slots=True)
class Clients:
    """Airflow, the gateway's control port, the notification sink, the system's database; None where there is none."""

    airflow: Airflow | None
    gateway: GatewayControl | None
    sink: NotificationSink | None
    database: SystemDatabase | None

    def require_airflow(self) -> Airflow:
        """Airflow, for what makes no sense without it.

        Raises:
            UsageError: the stack names none.
        """
        if self.airflow is None:
            raise UsageError("this needs a stack that names x-harness.adapters.airflow")
        return self.airflow


@asynccontextmanager
async def open_clients(running: RunningStack) -> AsyncIterator[Clients]:
    """Open them at the direct addresses of a running stack, around every proxy.

    Raises:
        UnsafeTarget: the gateway serves a live account.
        StackError: nothing says where a service listens.
    """
    adapters = running.stack.adapters
    async with AsyncExitStack() as opened:
        airflow = gateway = sink = database = None
        if adapters.airflow is not None:
            airflow = await opened.enter_async_context(
                _AIRFLOWS[adapters.airflow.api](
                    url=own_address(running, adapters.airflow.url),
                    username=adapters.airflow.username,
                    password=adapters.airflow.password,
                    dag=adapters.airflow.dag,
                )
            )
        if adapters.gateway is not None:
            gateway = await opened.enter_async_context(GatewayControl(own_address(running, adapters.gateway.control)))
            await gateway.refuse_live_account()
        if adapters.notifications is not None:
            sink = await opened.enter_async_context(NotificationSink(own_address(running, adapters.notifications.url)))
        if adapters.database is not None:
            database = SystemDatabase(own_address(running, adapters.database.dsn))
        if airflow is not None:
            await airflow.log_in()
        yield Clients(airflow, gateway, sink, database)


def own_address(running: RunningStack, url: str) -> str:
    """The real address of a service of the stack, around every proxy.

    Raises:
        StackError: nothing says that the service listens on that port.
    """
    real = running.rewrite_addresses(url)
    if real == url:
        # Without the real address, this would reach another machine that happens to have the name.
        place = urlsplit(url)
        raise StackError(f"{running.stack.path.name}: nothing there says that {place.hostname} listens on {place.port}")
    return real
