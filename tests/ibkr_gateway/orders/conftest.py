"""A floor for each test, or a client at its desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.ibkr_gateway.orders.desk import Desk
from tests.ibkr_gateway.orders.exchange_floor import Floor
from tests.ibkr_gateway.stub import Stub


@pytest.fixture
def floor() -> Iterator[Floor]:
    """A broker whose orders fill in one piece."""
    made = Floor()
    yield made
    made.close()


@pytest.fixture
def floor_in_pieces() -> Iterator[Floor]:
    """A broker whose orders fill in five pieces."""
    made = Floor(pieces=5)
    yield made
    made.close()


@pytest.fixture
def desk(stub: Stub, connect: Callable[..., Any]) -> Desk:
    """A client of a clean gateway."""
    return Desk(stub, connect(1))
