"""A gateway on Monday, 2026-11-23, at nine in the morning in New York: half an hour before the exchange opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.ibkr_gateway.day.exchange import MORNING, Exchange
from tests.ibkr_gateway.stub import Stub, end, start


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    """The gateway, which keeps the exchange's hours because its clock has a time of day."""
    stub = start(tmp_path_factory.mktemp("day") / "ledger.jsonl", "--clock", MORNING)
    yield stub
    end(stub)


@pytest.fixture
def exchange(stub: Stub, loop: asyncio.AbstractEventLoop, connect: Callable[..., Any]) -> Exchange:
    """The exchange, and a client that trades there; it is nine o'clock again."""
    return Exchange(stub, loop, connect)
