"""The stand-in for the analysis service, as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.stand_in import served

KEY = "key-of-the-tests"


@pytest.fixture(scope="session")
def _served() -> Iterator[str]:
    with served("fixtures.analysis_service", LLM_API_KEY=KEY) as address:
        yield address


@pytest.fixture
def service(_served: str) -> Iterator[httpx.Client]:
    """A client with the right key, of a service that no client has asked yet."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=_served, headers=headers, timeout=10) as client:
        client.post("/reset").raise_for_status()
        yield client
