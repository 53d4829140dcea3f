"""A sweep: the task is killed at its first chunk of traffic, then at its second, and so on until nothing is left."""

from __future__ import annotations

import contextlib
import itertools
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.trading.kill_point import KillPoint
from tests.trading.parts import Parts, new_run
from tests.trading.placing_tries import Nursery, Try, nursery
from tests.trading.relay import Relay, relay_to

Link = Literal["gateway", "postgres"]

_MOST_CHUNKS = 400


@dataclass(frozen=True, slots=True)
class Bench:
    """What one sweep works with.

    Args:
        parts: the running parts, with a gateway and a database of orders that no other sweep uses: gateways that
            start at the same time count their executions from the same number.
        stored: reads a run's artifacts.
        environment: the workflow's settings, but for the two links.
        folder: for logs.
        saboteur: a defect that every try has; empty for none.
    """

    parts: Parts
    stored: Callable[[str], list[str]]
    environment: Mapping[str, str]
    folder: Path
    saboteur: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A kill after which something was wrong.

    Args:
        nth: the chunk at which the task was killed.
        wrong: what, with what was expected.
        log: the log of both tries.
    """

    nth: int
    wrong: str
    log: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep came to.

    Args:
        kills: how often the task was killed.
        findings: what was wrong after a kill and the retry.
    """

    kills: int
    findings: tuple[Finding, ...]


def sweep(bench: Bench, link: Link, *, forward: bool, until_found: bool = False) -> Sweep:
    """Kill, run again and look, at every chunk of one link.

    Args:
        bench: where.
        link: whose chunks are counted.
        forward: whether the chunk still arrives.
        until_found: whether to end at the first finding.
    """
    findings: list[Finding] = []
    with _relays(bench.parts) as relays, nursery() as tries:
        for nth in itertools.count(1):
            assert nth <= _MOST_CHUNKS, f"the task is still killed at chunk {nth}"
            run = new_run()
            _reset_gateway(bench.parts)
            log = bench.folder / f"{nth}.log"
            job = Try(run, 1, _environment(bench, relays), str(log), bench.saboteur)
            point = KillPoint(nth, forward=forward)
            if _is_killed(tries, job, relays[link], point):
                _retry(tries, job)
            findings += [Finding(nth, wrong, log.read_text()) for wrong in _wrongs(bench, run)]
            was_reached = point.sprung.is_set()
            if not was_reached or (until_found and findings):
                return Sweep(nth - (not was_reached), tuple(findings))
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _relays(parts: Parts) -> Iterator[dict[Link, Relay]]:
    with relay_to(parts.gateway_port) as gateway, relay_to(parts.database_port) as postgres:
        yield {"gateway": gateway, "postgres": postgres}


def _reset_gateway(parts: Parts) -> None:
    """Forget earlier orders, which every search would list, and fill new ones at once."""
    for answer in (
        httpx.post(f"{parts.gateway_control}/reset", trust_env=False),
        httpx.patch(f"{parts.gateway_control}/behaviour", json={"fill_delay_s": 0.01}, trust_env=False),
    ):
        answer.raise_for_status()


def _environment(bench: Bench, relays: Mapping[Link, Relay]) -> dict[str, str]:
    url = bench.parts.database_url.replace(str(bench.parts.database_port), str(relays["postgres"].port))
    return {**bench.environment, "IBKR_PORT": str(relays["gateway"].port), "DATABASE_URL": url}


def _is_killed(tries: Nursery, job: Try, relay: Relay, point: KillPoint) -> bool:
    relay.kill_point = point
    code = tries.run(job, point.aim)
    relay.kill_point = None
    expected = _possible_ends(point)
    assert code in expected, f"the first try ended with {code}, not {expected}: {Path(job.log).read_text()}"
    return code == -signal.SIGKILL


def _possible_ends(point: KillPoint) -> set[int]:
    if not point.sprung.is_set():
        return {0}
    # The signal is sent in any case. The task may have ended before: a chunk that still arrives may be the last one that
    # it waits for, and one that is lost may be the word with which it leaves, for which it waits for nothing.
    return {-signal.SIGKILL, 0}


def _retry(tries: Nursery, job: Try) -> None:
    code = tries.run(replace(job, try_number=2))
    assert code == 0, f"the second try ended with {code}: {Path(job.log).read_text()}"


def _wrongs(bench: Bench, run: str) -> Iterator[str]:
    """Compare what the gateway's own record says with what is in the database."""
    parts = bench.parts
    orders = parts.gateway_orders()
    if [order["status"] for order in orders] != ["Filled"]:
        yield f"expected one filled order, the gateway has {orders}"
        return
    (order,) = orders
    expected = ("FILLED", Decimal(order["filled"]), Decimal(order["avg_price"]), order["perm_id"])
    rows = parts.rows("SELECT status, filled, avg_price, perm_id FROM orders WHERE execution_id = %s", run)
    if [tuple(row.values()) for row in rows] != [expected]:
        yield f"expected the record {expected}, came {rows}"
    trades = parts.rows("SELECT exec_id, shares, price, commission FROM trades WHERE execution_id = %s", run)
    fills = [_trade(fill) for fill in _fills(parts)]
    if sorted(trades, key=lambda trade: trade["exec_id"]) != fills:
        yield f"expected the trades {fills}, came {trades}"
    if (artifacts := bench.stored(run)) != ["AAPL order"]:
        yield f"expected the order's artifact once, came {artifacts}"


def _fills(parts: Parts) -> list[dict[str, Any]]:
    entries = httpx.get(f"{parts.gateway_control}/ledger", trust_env=False).json()["entries"]
    return [entry for entry in entries if entry["kind"] == "fill"]


def _trade(fill: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: Decimal(fill[name]) for name in ("shares", "price", "commission")}
    return {"exec_id": fill["exec_id"], **numbers}
