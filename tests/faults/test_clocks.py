"""From when a fault's time and its trigger count: from the start of the drilled run."""

from __future__ import annotations

import asyncio

import pytest

from harness.history.events import FaultOff, FaultOn
from harness.history.history import HistoryWriter
from harness.runtime.local.stack import LocalStack
from harness.runtime.waiting import until
from tests.faults.test_injection import begin, injector_of

pytestmark = pytest.mark.anyio
LINK = "client -> server"


async def test_fault_before_the_run_lasts_from_its_start(local_stack: LocalStack, history: HistoryWriter) -> None:
    """One that is on before a run that is slow to start is still on when it starts, and its time runs from then."""
    run_began = asyncio.Event()
    injector = injector_of(local_stack, history, link=LINK, **{"is": "refused"}, for_s=0.3)
    life = begin(injector, run_began=run_began)
    await injector.on.wait()
    applied_s = injector.span.applied_at_s or 0.0
    await until(lambda: history.now_s > applied_s + 0.6, what="more than its time", deadline_s=5)
    assert not list(history.so_far().of(FaultOff))
    began_s = history.now_s
    run_began.set()
    await life
    ((off, _),) = history.so_far().of(FaultOff)
    assert off.at_s >= began_s + 0.3


async def test_connections_before_the_run_pull_no_trigger(local_stack: LocalStack, history: HistoryWriter) -> None:
    """The N-th connection is counted from the run's start: what the system opened before it does not count."""
    (link,) = local_stack.stack.links
    proxy = local_stack.proxy(link)
    run_began = asyncio.Event()
    start = {"from": {"connection": 1}}
    life = begin(
        injector_of(local_stack, history, link=LINK, **{"is": "refused"}, **start, for_s=0.1), run_began=run_began
    )
    # It has armed itself once its own probes of the link are over.
    await until(lambda: len(proxy._log.accepted) >= 5, what="the baseline", deadline_s=5)
    _, early = await asyncio.open_connection(*local_stack.link_address(link))
    await until(proxy.system_connections, what="the early connection in the log", deadline_s=5)
    run_began.set()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.shield(life)
    assert not list(history.so_far().of(FaultOn))
    _, counted = await asyncio.open_connection(*local_stack.link_address(link))
    await life
    assert len(list(history.so_far().of(FaultOn))) == 1
    early.transport.abort()
    counted.transport.abort()


async def test_fault_comes_on_after_all_have_looked(local_stack: LocalStack, history: HistoryWriter) -> None:
    """One that is on from the beginning waits until the others of its drill know their targets without it."""
    early = injector_of(local_stack, history, link=LINK, **{"is": "refused"}, for_s=0.1)
    late = injector_of(local_stack, history, link=LINK, **{"is": "reset"}, **{"from": {"at_s": 60}}, for_s=0.1)
    for each in (early, late):
        each.wait_for((early, late))
    life = begin(early)
    await early.armed.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await early.on.wait()
    other = begin(late)
    await life
    assert len(list(history.so_far().of(FaultOn))) == 1
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
