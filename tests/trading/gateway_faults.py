"""Faults of the gateway stub for the length of a block, and stubs of another kind than the session's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.trading.parts import Parts
from tests.trading.process import answers, free_port, running


@contextlib.contextmanager
def gateway_fault(parts: Parts, name: str, **parameters: Any) -> Iterator[Callable[[], int]]:
    """Switch a fault on; at the end of the block require that it has hit a client, and lift it.

    Args:
        parts: with the gateway stub.
        name: of the stub's faults.
        parameters: the fault's own.

    Yields:
        What counts how often it has hit a client.
    """
    url = f"{parts.gateway_control}/faults"
    armed = httpx.post(url, json={"name": name, "parameters": parameters}, trust_env=False).raise_for_status().json()

    def hits() -> int:
        return int(httpx.get(f"{url}/{armed['id']}", trust_env=False).raise_for_status().json()["hits"])

    try:
        yield hits
        assert hits(), f"the fault {name} hit no client"
    finally:
        httpx.delete(f"{url}/{armed['id']}", trust_env=False).raise_for_status()


@contextlib.contextmanager
def gateway_with(folder: Path, *options: str) -> Iterator[int]:
    """Run a gateway stub with further options, such as another account or date, and yield its port."""
    port, control = free_port(), free_port()
    arguments = ["-m", "fixtures.ibkr_gateway", "--port", str(port), "--control", str(control)]
    arguments += ["--ledger", str(folder / "ledger.jsonl"), *options]
    with running(arguments, folder / "gateway.log") as process:
        process.require(lambda: answers(f"http://127.0.0.1:{control}/health"), "the gateway stub's health")
        yield port
