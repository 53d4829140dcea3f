"""What the workflow reads from its environment: one model, validated when a task starts."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, PostgresDsn, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trading.workflow.errors import SettingsInvalid

SYMBOL = re.compile(r"[A-Z][A-Z0-9. ]{0,11}")


class WorkflowSettings(BaseSettings):
    """The workflow's settings.

    Args:
        backend_api_url: the artifacts API, without the path `/api/artifacts/`.
        database_url: orders, trades and runs, as `postgresql://user:password@host:port/ibkr_trading`.
        ibkr_host: the gateway's host.
        ibkr_port: the gateway's port.
        ibkr_client_id: the first client id of ours; when it is taken, the next ones are tried.
        ibkr_client_id_count: how many client ids are ours.
        ibkr_reconnect_s: seconds for which a task tries to get a lost gateway back.
        database_retry_s: seconds for which one piece of work on the database is tried again.
        stock_symbols: what a run trades when it was not triggered for other symbols.
        market_data_duration: how far back bars reach, in the gateway's words.
        market_data_bar_size: the size of a daily bar, in the gateway's words.
        market_data_max_age_days: bars whose newest is older than this are stale; 5 spans the longest weekend.
        order_quantity: shares that one order is for.
        notify_urls: where people are told about a degraded or failed run, as Apprise addresses.
        artifact_attempts: how often one task tries to store one artifact before it is spooled.
        artifact_spool_dir: the folder of the spool.
        artifact_spool_max_bytes: the spool's size at most.
        artifact_api_token: the bearer token of the artifacts API; empty for none.
        chart_dir: the folder that charts are written to.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    backend_api_url: HttpUrl
    database_url: PostgresDsn
    ibkr_host: str = "127.0.0.1"
    ibkr_port: int = Field(default=4002, ge=1, le=65535)
    ibkr_client_id: int = Field(default=10, ge=1, le=2**30)
    ibkr_client_id_count: int = Field(default=8, ge=1, le=32)
    ibkr_reconnect_s: float = Field(default=45.0, gt=0, le=600)
    database_retry_s: float = Field(default=10.0, gt=0, le=600)
    stock_symbols: Annotated[tuple[str, ...], NoDecode] = ("AAPL",)
    market_data_duration: str = Field(default="1 Y", pattern=r"^\d+ [SDWMY]$")
    market_data_bar_size: str = Field(default="1 day", min_length=1)
    market_data_max_age_days: int = Field(default=5, ge=1, le=10_000)
    order_quantity: Decimal = Field(default=Decimal(10), gt=0, le=1_000_000)
    notify_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    artifact_attempts: int = Field(default=4, ge=1, le=20)
    artifact_spool_dir: Path = Path("spool")
    artifact_spool_max_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)
    artifact_api_token: SecretStr = SecretStr("")
    chart_dir: Path = Path("charts")

    @field_validator("stock_symbols", mode="before")
    @classmethod
    def _split_symbols(cls, value: object) -> object:
        return parse_symbols(value.split(",")) if isinstance(value, str) else value

    @field_validator("notify_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: object) -> object:
        return tuple(SecretStr(url) for url in re.split(r"[\s,]+", value) if url) if isinstance(value, str) else value


def parse_symbols(values: list[str]) -> tuple[str, ...]:
    """Check symbols and drop repeats, keeping their order.

    Raises:
        ValueError: none are left, or one is not a symbol.
    """
    symbols = tuple(dict.fromkeys(value.strip().upper() for value in values if value.strip()))
    for symbol in symbols:
        if not SYMBOL.fullmatch(symbol):
            raise ValueError(f"{symbol!r} is not a stock symbol: expected 1 to 12 of A-Z, 0-9, '.', as in AAPL")
    if not symbols:
        raise ValueError("no symbols: expected at least one, as in AAPL,MSFT")
    return symbols


def read_settings() -> WorkflowSettings:
    """Read the settings from the environment.

    Raises:
        SettingsInvalid: one line a bad value: its variable, what is wrong, and what came.
    """
    try:
        return WorkflowSettings()
    except ValidationError as invalid:
        lines = [
            f"{'.'.join(str(part) for part in error['loc']).upper()}: {error['msg']}"
            for error in invalid.errors(include_input=False, include_url=False)
        ]
        raise SettingsInvalid("; ".join(lines)) from invalid
