"""What must be there before a run begins, and what it can do without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue, StrictBool, ValidationError, field_validator

from trading.deadline import within
from trading.workflow import preflight_checks as checks
from trading.workflow.errors import (
    AccountNotPaper,
    GatewayUnavailable,
    RunDatabaseUnavailable,
    SettingsInvalid,
    SpoolFull,
    WorkflowError,
)
from trading.workflow.events import get_events
from trading.workflow.market_calendar import NEW_YORK, calendar_around
from trading.workflow.preflight_checks import Party
from trading.workflow.replay import replay
from trading.workflow.settings import WorkflowSettings, parse_symbols
from trading.workflow.task_run import TaskRun

log = get_events(__name__)

_REPLAY_S = 5.0


class Verdict(StrEnum):
    """What a check means for the run."""

    OK = "ok"
    DEGRADE = "degrade"
    BLOCK = "block"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: for logs and reasons.
        probe: returns what it found, or raises.
        deadline_s: seconds after which it counts as failed.
        blocks_with: the error with which a failure stops the run; None when the run goes on, degraded.
        needs: the check without whose success this one is not made.
    """

    name: str
    probe: Callable[[Party], Awaitable[str]]
    deadline_s: float
    blocks_with: type[WorkflowError] | None = None
    needs: str = ""


# The first one that blocks is what the task fails with: a gateway that is down is not worth a second try.
CHECKS = (
    Check("gateway", checks.gateway_alive, checks.GATEWAY_S + 5, GatewayUnavailable),
    Check("account", checks.account_is_paper, 1, AccountNotPaper, needs="gateway"),
    Check("spool", checks.spool_writable, 2, SpoolFull),
    Check("database", checks.database_ready, checks.DATABASE_S + 5, RunDatabaseUnavailable),
    Check("farms", checks.farms_up, 1, needs="gateway"),
    Check("clocks", checks.clocks_agree, 1, needs="gateway"),
    Check("backend", checks.backend_ready, checks.BACKEND_S + 1),
    Check("artifacts", checks.artifacts_writable, checks.BACKEND_S + 1, needs="backend"),
    Check("calendar", checks.market_open, 2),
)


@dataclass(frozen=True, slots=True)
class Result:
    """How a check went.

    Args:
        name: the check's.
        verdict: what it means for the run.
        detail: what was found.
        elapsed_s: how long it took.
        error: what stops the run; None when nothing does.
    """

    name: str
    verdict: Verdict
    detail: str
    elapsed_s: float = 0.0
    error: WorkflowError | None = None


class RunConf(BaseModel):
    """What a run may be triggered with.

    Args:
        symbols: what to trade instead of the settings' symbols.
        dry_run: whether to do everything but send orders.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: tuple[str, ...] = ()
    dry_run: StrictBool = False

    @field_validator("symbols", mode="after")
    @classmethod
    def _are_symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return parse_symbols(list(value)) if value else value


def symbols_of(conf: Mapping[str, JsonValue], settings: WorkflowSettings) -> tuple[str, ...]:
    """Say what a run trades.

    Args:
        conf: what the run was triggered with.
        settings: the workflow's.

    Raises:
        SettingsInvalid: names the key that is wrong, and shows a correct one.
    """
    try:
        return RunConf.model_validate(conf).symbols or settings.stock_symbols
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsInvalid(
            f'the run\'s conf: {where}: {first["msg"]}; expected {{"symbols": ["AAPL"], "dry_run": false}}'
        ) from invalid


def closed_words(scheduled_at: datetime) -> str:
    """Say why a run that is due at some time is to be skipped; empty when it is not.

    Args:
        scheduled_at: aware; the time that the schedule named, not the time at which a late run begins.
    """
    day = scheduled_at.astimezone(NEW_YORK).date()
    calendar = calendar_around(day)
    if calendar.is_session(day):
        return ""
    return f"the exchange is closed on {day}; the next trading day is {calendar.next_session(day)}"


async def check(run: TaskRun) -> None:
    """Check every party; what blocks raises, what degrades is noted.

    Raises:
        WorkflowError: the first check that blocks; the others that do are noted beside it.
    """
    results = await perform(CHECKS, Party(run))
    for result in results:
        if result.verdict is Verdict.DEGRADE:
            await run.note("degraded", f"pre-flight check {result.name!r}: {result.detail}")
    blocking = [(result, result.error) for result in results if result.error is not None]
    for result, _ in blocking[1:]:
        await run.note("failed", f"pre-flight check {result.name!r}: {result.detail}")
    if blocking:
        raise blocking[0][1]
    if any(result.name == "backend" and result.verdict is Verdict.OK for result in results):
        await _replay(run)


async def _replay(run: TaskRun) -> None:
    replayed = await replay(run.storage, budget_s=_REPLAY_S, patient=False)
    if replayed.problem:
        await run.note("degraded", f"the spool could not be replayed: {replayed.problem}")
    if replayed.dead:
        await run.note(
            "degraded", f"{replayed.dead} artifacts of earlier runs were refused and lie in the dead letters"
        )


async def perform(table: Sequence[Check], party: Party) -> list[Result]:
    """Make all checks at once, but for those that need another's answer; each is logged.

    Args:
        table: in the order of the results.
        party: what they work with.
    """
    made: dict[str, asyncio.Task[Result]] = {}

    async def in_turn(check: Check) -> Result:
        if check.needs and (await made[check.needs]).verdict is not Verdict.OK:
            result = Result(check.name, Verdict.NOT_CHECKED, f"it needs the check {check.needs!r}")
        else:
            result = await _make(check, party)
        told = log.info if result.verdict is Verdict.OK else log.warning
        elapsed_s = round(result.elapsed_s, 3)
        told(
            "preflight_check", check=check.name, verdict=result.verdict.value, elapsed_s=elapsed_s, detail=result.detail
        )
        return result

    async with asyncio.TaskGroup() as group:
        for check in table:
            made[check.name] = group.create_task(in_turn(check))
    return [made[check.name].result() for check in table]


async def _make(check: Check, party: Party) -> Result:
    started_s = time.monotonic()

    async def probing() -> str:
        return await check.probe(party)

    try:
        detail = await within(check.deadline_s, probing(), what=f"the check {check.name!r}")
    except Exception as error:  # noqa: BLE001 - any error that ends a check is what it found
        detail = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, WorkflowError | checks.CheckFailed | TimeoutError):
            detail = f"{type(error).__name__}: {detail}"
        elapsed_s = time.monotonic() - started_s
        if check.blocks_with is None:
            return Result(check.name, Verdict.DEGRADE, detail, elapsed_s)
        named = error if isinstance(error, check.blocks_with) else check.blocks_with(f"{check.name}: {detail}")
        return Result(check.name, Verdict.BLOCK, detail, elapsed_s, named)
    return Result(check.name, Verdict.OK, detail, time.monotonic() - started_s)
