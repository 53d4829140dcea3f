"""The desk at which faults are tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.ibkr_gateway.faults.desk import Desk
from tests.ibkr_gateway.stub import Stub


@pytest.fixture
def desk(stub: Stub, loop: asyncio.AbstractEventLoop, connect: Callable[..., Any]) -> Desk:
    """A gateway without faults yet."""
    return Desk(stub, loop, connect)
