"""What the pre-flight asks of each party; each check returns what it found, or raises."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import httpx
import psycopg
from pydantic import BaseModel, ConfigDict, ValidationError

from trading.workflow.artifact_storage import PATH
from trading.workflow.causes import cause_of, words_of
from trading.workflow.errors import AccountNotPaper, GatewayUnavailable, RunDatabaseUnavailable, SpoolFull
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.farms import Farm
from trading.workflow.gateway import Gateway
from trading.workflow.market_calendar import calendar_around, today_in_new_york
from trading.workflow.run_database import Connection
from trading.workflow.run_records import record_start
from trading.workflow.task_run import TaskRun

log = get_events(__name__)

# Of the check that asks the gateway: connecting and proving it alive once more may end that much after it.
GATEWAY_S = 12.0
DATABASE_S = 10.0
BACKEND_S = 2.0
SKEW_MAX_S = 2.0
_TIME_S = 3.0
DISK_MIN_BYTES = 16 * 1024 * 1024

_PAPER = "DU"
_MIGRATIONS = Path(__file__).parents[1] / "backend" / "migrations"


class CheckFailed(Exception):
    """What was checked is not as it should be; the message says how it is."""


@dataclass(frozen=True, slots=True)
class GatewayFacts:
    """What one connection to the gateway brought to light.

    Args:
        accounts: those that it is logged in to.
        broken: the data farms that it cannot reach.
        skew_s: by how many seconds its clock is ahead of ours, at least; negative when it is behind.
    """

    accounts: tuple[str, ...]
    broken: tuple[Farm, ...]
    skew_s: float


@dataclass(slots=True)
class Party:
    """What the checks work with, and what one of them leaves for others.

    Args:
        run: the task.
        gateway: set by the check that asks the gateway.
    """

    run: TaskRun
    gateway: GatewayFacts | None = None

    @property
    def facts(self) -> GatewayFacts:
        """What the gateway said; only for checks that come after the one that asked it."""
        assert self.gateway is not None, "this check is declared to need the gateway's"
        return self.gateway


async def gateway_alive(party: Party) -> str:
    """Connect, have the gateway prove that it is alive, and take down what it says.

    Raises:
        GatewayUnavailable: it cannot be reached, does not answer, or is not in touch with its servers.
    """
    run = party.run

    async def ask(gateway: Gateway) -> GatewayFacts:
        asked_s = time.time()
        told: datetime = await gateway.ask("the gateway's time", gateway.ib.reqCurrentTimeAsync, deadline_s=_TIME_S)
        skew_s = skew_of(asked_s, told.timestamp(), time.time())
        accounts = tuple(gateway.ib.client.getAccounts())
        return GatewayFacts(accounts, gateway.farms.broken, skew_s)

    try:
        party.gateway = await run.broker.reading(
            "preflight", ask, budget_s=min(GATEWAY_S, run.settings.ibkr_reconnect_s)
        )
    except GatewayUnavailable:
        raise
    except Exception as error:
        raise GatewayUnavailable(f"the gateway does not answer: {error}") from error
    return f"accounts {', '.join(party.gateway.accounts)}"


def skew_of(asked_s: float, told_s: float, answered_s: float) -> float:
    """Say by how much the gateway's clock is certainly ahead of ours; 0 when both may agree.

    Its answer is in whole seconds, cut off, and was made at some moment between our question and its answer.

    Args:
        asked_s: our time at the question.
        told_s: the answer.
        answered_s: our time at the answer.
    """
    ahead_min_s, ahead_max_s = told_s - answered_s, told_s + 1 - asked_s
    return max(ahead_min_s, 0.0) + min(ahead_max_s, 0.0)


async def account_is_paper(party: Party) -> str:
    """Require that the gateway is logged in to accounts for paper trading only.

    Raises:
        AccountNotPaper: one of them trades with real money.
    """
    live = [account for account in party.facts.accounts if not account.startswith(_PAPER)]
    if live:
        raise AccountNotPaper(
            f"the gateway is logged in to {', '.join(live)}, and a paper account begins with {_PAPER}:"
            " IBKR_HOST and IBKR_PORT must name a gateway for paper trading (4002, or 7497 of TWS)"
        )
    return "for paper trading"


async def farms_up(party: Party) -> str:
    """Require that the gateway reaches its data farms.

    A broken history farm blocks nothing here: fetch_market_data requires the bars themselves, the farm may be back by
    then, and without bars no order is placed.
    """
    broken: Sequence[Farm] = party.facts.broken
    if broken:
        raise CheckFailed(f"the gateway cannot reach {', '.join(f'{farm.name} ({farm.kind})' for farm in broken)}")
    return "none is reported broken"


async def clocks_agree(party: Party) -> str:
    """Require that the gateway's clock and ours say the same."""
    skew_s = party.facts.skew_s
    if abs(skew_s) > SKEW_MAX_S:
        direction = "ahead of" if skew_s > 0 else "behind"
        raise CheckFailed(f"the gateway's clock is {abs(skew_s):.1f} s {direction} ours; {SKEW_MAX_S:g} s are allowed")
    return f"{skew_s:.1f} s apart"


async def database_ready(party: Party) -> str:
    """Require the database of orders, with its schema at the step that this code was written for; record the start.

    Raises:
        RunDatabaseUnavailable: it cannot be reached, or its schema is at another step.
    """
    run, wanted = party.run, schema_head()

    async def step(connection: Connection) -> str:
        cursor = await connection.execute("SELECT version_num FROM alembic_version")
        return ", ".join(sorted(row["version_num"] for row in await cursor.fetchall()))

    budget_s = min(DATABASE_S, run.settings.database_retry_s)
    try:
        found = await run.database.run(step, what="read the schema's step", budget_s=budget_s)
    except psycopg.errors.UndefinedTable:
        found = ""
    if found != wanted:
        raise RunDatabaseUnavailable(
            f"the schema is at step {found or 'none'}, and should be at {wanted}: the backend sees to that at its start"
        )
    await record_start(run.database, run.context.execution_id, run.context.dag_id)
    return f"schema at {found}"


@cache
def schema_head() -> str:
    """The newest step of the migrations that came with this code."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and only this check needs it

    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


async def spool_writable(party: Party) -> str:
    """Require room for the spool, on a disk that takes what is written.

    Raises:
        SpoolFull: there is none.
    """
    folder = party.run.settings.artifact_spool_dir
    try:
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < DISK_MIN_BYTES:
            raise SpoolFull(f"{folder} has {free_bytes} bytes free; at least {DISK_MIN_BYTES} are needed")
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise SpoolFull(f"{folder} takes no files: {error}") from error
    return f"{free_bytes // 1024 // 1024} MiB free"


async def backend_ready(party: Party) -> str:
    """Require that the backend says it is ready."""
    problem = await party.run.storage.backend_problem(deadline_s=BACKEND_S)
    if problem:
        raise CheckFailed(problem)
    return "ready"


class _WriteProbe(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    writable: bool


async def artifacts_writable(party: Party) -> str:
    """Have the backend insert a row and take it back."""
    settings = party.run.settings
    token = settings.artifact_api_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{str(settings.backend_api_url).rstrip('/')}{PATH}probe"
    # Reading the machine's certificates takes 20 ms, which a plain http address need not pay.
    verify = url.startswith("https:")
    started_s = time.monotonic()
    try:
        async with httpx.AsyncClient(headers=headers, timeout=BACKEND_S, trust_env=False, verify=verify) as client:
            answer = await client.post(url)
    except httpx.HTTPError as error:
        _attempt_failed(cause_of(error), started_s, words_of(error))
        raise CheckFailed(f"{cause_of(error)}: {words_of(error)}") from error
    if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}:
        raise CheckFailed(
            f"the backend has no {PATH}probe (answer {answer.status_code}): it is older than this workflow"
        )
    try:
        writable = answer.is_success and _WriteProbe.model_validate_json(answer.content).writable
    except ValidationError:
        writable = False
    if not writable:
        words = f"answer {answer.status_code}: {answer.text[:200]}"
        _attempt_failed("http_5xx" if answer.is_server_error else "bad_answer", started_s, words)
        raise CheckFailed(words)
    return "a row was inserted and taken back"


def _attempt_failed(cause: str, started_s: float, words: str) -> None:
    attempt_failed(log, "backend", cause, attempt=1, elapsed_s=time.monotonic() - started_s, error=words)


async def market_open(_party: Party) -> str:
    """Say whether the exchange trades today; a run that was triggered by hand goes on when it does not."""
    today = today_in_new_york()
    calendar = calendar_around(today)
    if calendar.is_session(today):
        return f"{today} is a trading day"
    return f"{today} is no trading day; the next is {calendar.next_session(today)}"
