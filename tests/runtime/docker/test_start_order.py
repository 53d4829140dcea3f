"""What takes long is started first, with all that it waits for; nothing waits for what it need not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.runtime.docker.start_order import StartOrder
from tests.runtime.docker.small_stack import small_stack

SLOW_CLIENT = (
    'ready: {http: "http://client:8001/"}, ready_within_s: 60',
    'ready: {http: "http://client:8001/"}, ready_within_s: 120',
)
NEED_ONLY_BE_STARTED = ("condition: service_healthy", "condition: service_started")


def test_equal_services_have_one_rank(tmp_path: Path) -> None:
    """Where all are given the same time, none waits for another."""
    order = StartOrder(small_stack(tmp_path).services)
    assert {order.rank(name) for name in ("server", "client", "other")} == {0}


def test_slow_service_comes_first_with_what_it_waits_for(tmp_path: Path) -> None:
    """A slow service, its server and the proxy between them come before a quick service and its proxy."""
    stack = small_stack(tmp_path, SLOW_CLIENT)
    order = StartOrder(stack.services)
    assert [order.rank(name) for name in ("server", "client", "other")] == [0, 0, 1]
    assert order.rank_of_proxy(stack.link("client -> server")) == 0
    assert order.rank_of_proxy(stack.link("other -> server")) == 1


@pytest.mark.parametrize(
    ("changes", "before"),
    [([SLOW_CLIENT, NEED_ONLY_BE_STARTED], ["server", "client"]), ([SLOW_CLIENT], ["server"])],
    ids=["all of the first rank can start", "one of them waits for readiness"],
)
def test_next_rank_begins_once_the_first_is_on_its_way(
    tmp_path: Path, changes: list[tuple[str, str]], before: list[str]
) -> None:
    """The next rank begins when those were started that wait for no readiness, and not before."""

    async def begun() -> list[bool]:
        order = StartOrder(small_stack(tmp_path, *changes).services)
        turn = asyncio.create_task(order.turn(1))
        seen: list[bool] = []
        for name in before:
            await asyncio.sleep(0)
            seen.append(turn.done())
            order.launched(name)
        await turn
        return seen

    assert asyncio.run(begun()) == [False] * len(before)
