"""A floor for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ibkr_gateway.orders.exchange_floor import Floor


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
