"""What the workflow reads from its environment: one model, validated when a task starts."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, PostgresDsn, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trading.workflow.errors import SettingsInvalid

SYMBOL = re.compile(r"[A-Z][A-Z0-9. ]{0,11}")


class NotifySettings(BaseSettings):
    """The settings that are needed to tell people, when some other setting is wrong.

    Args:
        notify_urls: where people are told about a degraded or failed run, as Apprise addresses.
        artifact_spool_dir: the folder of the spool.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    notify_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    artifact_spool_dir: Path = Path("spool")

    @field_validator("notify_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: object) -> object:
        return tuple(SecretStr(url) for url in re.split(r"[\s,]+", value) if url) if isinstance(value, str) else value


class WorkflowSettings(NotifySettings):
    """The workflow's settings, beside those of NotifySettings.

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
        market_data_max_age_sessions: how many trading days the newest bar may lie back, today counted from midnight on.
        order_quantity: shares that one order is for.
        artifact_attempts: how often one task tries to store one artifact before it is spooled.
        artifact_total_s: seconds for one artifact, with all attempts, waits and the spooling.
        artifact_spool_max_bytes: the spool's size at most.
        artifact_api_token: the bearer token of the artifacts API; empty for none.
        chart_dir: the folder that charts are written to.
        llm_api_base_url: the analysis endpoint, as `https://host/v1`; empty for none, and then no orders are placed.
        llm_model: what is asked there; needed when there is an endpoint.
        llm_api_key: the endpoint's key; empty for none.
        llm_deadline_s: seconds for one symbol's analysis, with all its attempts and waits; the task has 60 s in all.
        llm_confidence_min: an order is placed for a signal that is at least as sure as this.
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
    market_data_max_age_sessions: int = Field(default=1, ge=0, le=250)
    order_quantity: Decimal = Field(default=Decimal(10), gt=0, le=1_000_000)
    artifact_attempts: int = Field(default=4, ge=1, le=20)
    artifact_total_s: float = Field(default=15.0, ge=0.1, le=600)
    artifact_spool_max_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)
    artifact_api_token: SecretStr = SecretStr("")
    chart_dir: Path = Path("charts")
    llm_api_base_url: HttpUrl | None = None
    llm_model: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", validate_default=True)
    llm_api_key: SecretStr = SecretStr("")
    llm_deadline_s: float = Field(default=20.0, gt=0, le=30)
    llm_confidence_min: float = Field(default=0.5, ge=0, le=1)

    @field_validator("stock_symbols", mode="before")
    @classmethod
    def _split_symbols(cls, value: object) -> object:
        return parse_symbols(value.split(",")) if isinstance(value, str) else value

    @field_validator("llm_api_base_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("llm_api_key", "artifact_api_token")
    @classmethod
    def _fits_into_a_header(cls, value: SecretStr) -> SecretStr:
        # A key that was read from a file often brings its line's end along.
        if not re.fullmatch(r"[\x21-\x7e]*", value.get_secret_value()):
            raise ValueError("expected printable ASCII characters without blanks or line ends")
        return value

    @field_validator("llm_model")
    @classmethod
    def _endpoint_needs_a_model(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("llm_api_base_url") is not None and not value:
            raise ValueError("LLM_API_BASE_URL is set, so expected the name of a model that is served there")
        return value


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
