"""A notification sink as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.stand_in import served


@pytest.fixture(scope="session")
def _served() -> Iterator[str]:
    with served("fixtures.notification_sink") as address:
        yield address


@pytest.fixture
def sink(_served: str) -> Iterator[httpx.Client]:
    """A client of an empty sink."""
    with httpx.Client(base_url=_served, timeout=10) as client:
        client.post("/reset").raise_for_status()
        yield client
