"""What must be there before a run begins, and what it can do without."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, field_validator

from trading.workflow.errors import GatewayUnavailable, SettingsInvalid, SpoolFull
from trading.workflow.events import get_events
from trading.workflow.gateway import Gateway
from trading.workflow.replay import replay
from trading.workflow.run_records import record_start
from trading.workflow.settings import WorkflowSettings, parse_symbols
from trading.workflow.task_run import TaskRun

log = get_events(__name__)

_GATEWAY_S = 12.0
_BACKEND_S = 2.0
_REPLAY_S = 5.0
_DISK_MIN_BYTES = 16 * 1024 * 1024


class RunConf(BaseModel):
    """What a run may be triggered with.

    Args:
        symbols: what to trade instead of the settings' symbols.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: tuple[str, ...] = ()

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
            f'the run\'s conf: {where}: {first["msg"]}; expected {{"symbols": ["AAPL"]}}'
        ) from invalid


async def check(run: TaskRun) -> None:
    """Check every party; what blocks raises, what degrades is noted.

    Blocking: the database of orders (no order may be sent without its intent), the gateway, room for the spool.
    Degrading: the backend.

    Raises:
        RunDatabaseUnavailable: orders could not be recorded.
        GatewayUnavailable: the gateway cannot be reached, or does not answer.
        SpoolFull: there is no room to keep what the backend does not take.
    """
    await record_start(run.database, run.context.execution_id, run.context.dag_id)
    _check_disk(run)
    await _check_gateway(run)
    problem = await run.storage.backend_problem(deadline_s=_BACKEND_S)
    if problem:
        await run.note("degraded", f"the backend is not ready ({problem})")
        return
    left = await replay(run.storage, budget_s=_REPLAY_S, patient=False)
    if left.dead:
        await run.note("degraded", f"{left.dead} artifacts of earlier runs were refused and lie in the dead letters")


def _check_disk(run: TaskRun) -> None:
    free_bytes = shutil.disk_usage(run.settings.artifact_spool_dir).free
    if free_bytes < _DISK_MIN_BYTES:
        raise SpoolFull(
            f"{run.settings.artifact_spool_dir} has {free_bytes} bytes free; at least {_DISK_MIN_BYTES} are needed"
        )


async def _check_gateway(run: TaskRun) -> None:
    async def alive(gateway: Gateway) -> None:
        await gateway.prove_alive()
        log.info("gateway_alive", account=gateway.account)

    try:
        await run.broker.reading("preflight", alive, budget_s=min(_GATEWAY_S, run.settings.ibkr_reconnect_s))
    except GatewayUnavailable:
        raise
    except Exception as error:
        raise GatewayUnavailable(f"the gateway does not answer: {error}") from error
