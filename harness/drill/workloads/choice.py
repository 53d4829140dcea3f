"""The workload of a stack, as its file names it."""

from __future__ import annotations

from harness.drill.clients import Clients, own_address
from harness.drill.observer import Observer
from harness.drill.workloads.airflow import AirflowRuns
from harness.drill.workloads.command import CommandRuns
from harness.drill.workloads.http import HttpRuns
from harness.drill.workloads.wait import WaitRuns
from harness.drill.workloads.workload import Workload
from harness.errors import StackError
from harness.runtime.running import RunningStack


def workload_of(running: RunningStack, clients: Clients, observer: Observer, symbols: tuple[str, ...]) -> Workload:
    """What runs the system's work.

    Raises:
        StackError: the file names nothing.
    """
    if clients.airflow is not None:
        return AirflowRuns(clients.airflow, observer, symbols)
    named = running.stack.adapters.workload
    if named is not None and named.http is not None:
        return HttpRuns(named.http, own_address(running, named.http.url), observer)
    if named is not None and named.command is not None:
        return CommandRuns(named.command, running, observer)
    if named is not None and named.wait is not None:
        return WaitRuns(named.wait.for_s, observer)
    raise StackError(f"{running.stack.path.name}: x-harness.adapters names neither airflow nor a workload")
