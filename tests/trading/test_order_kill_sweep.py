"""kill -9 at every step of place_order: after the retry there is one order, and the records say what the gateway says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trading.databases import migrated_database
from tests.trading.kill_sweep import Bench, Link, Sweep, sweep
from tests.trading.parts import Parts
from tests.trading.process import running_gateway

pytestmark = pytest.mark.sweep
_CASES: tuple[tuple[Link, bool], ...] = (
    ("gateway", False),
    ("gateway", True),
    ("postgres", False),
    ("postgres", True),
)


def swept(parts: Parts, orders_url: str, folder: Path, link: Link, *, forward: bool, saboteur: str = "") -> Sweep:
    """Sweep with a gateway and a database of orders of its own; with a saboteur only until it is found."""
    environment = {
        "BACKEND_API_URL": parts.backend_url,
        "ARTIFACT_SPOOL_DIR": str(folder / "spool"),
        "CHART_DIR": str(folder / "charts"),
    }
    with running_gateway(folder) as (port, control):
        own = replace(parts, gateway_port=port, gateway_control=control, database_url=orders_url)
        bench = Bench(own, parts.artifacts, environment, folder, saboteur)
        return sweep(bench, link, forward=forward, until_found=bool(saboteur))


@pytest.fixture(scope="module")
def sweeps(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Link, bool], Sweep]:
    """All sweeps, at the same time: each waits for the network most of its time."""
    databases = {case: migrated_database(parts) for case in _CASES}
    with ThreadPoolExecutor(len(_CASES)) as pool:
        running = {
            (link, forward): pool.submit(swept, parts, url, tmp_path_factory.mktemp("sweep"), link, forward=forward)
            for (link, forward), url in databases.items()
        }
        return {case: future.result() for case, future in running.items()}


@pytest.mark.parametrize(("link", "forward"), _CASES)
def test_order_survives_a_kill_at_every_step(
    sweeps: dict[tuple[Link, bool], Sweep], link: Link, *, forward: bool
) -> None:
    """Killed at any chunk on a link, lost or delivered, and run again: one order, one record, each trade once."""
    done = sweeps[link, forward]
    assert done.findings == ()
    assert done.kills >= 15


def test_sweep_finds_an_order_that_is_sent_without_looking(parts: Parts, tmp_path: Path) -> None:
    """A retry that does not ask the gateway first doubles the order, and the sweep sees it."""
    url = migrated_database(parts)
    done = swept(parts, url, tmp_path, "gateway", forward=True, saboteur="order_retried_without_looking")
    assert [finding for finding in done.findings if "expected one filled order" in finding.wrong]
