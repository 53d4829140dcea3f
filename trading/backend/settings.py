"""What the backend reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BackendSettings(BaseSettings):
    """The backend's settings; a bad value names its variable and the allowed range at start.

    Args:
        database_url: where artifacts are kept, as `postgresql://user:password@host:port/ibkr_trading`.
        artifact_api_token: the bearer token that every request must carry; empty for none.
        chart_dir: the folder that charts are served from.
        db_pool_size: open connections at most, for writes and for views each.
        db_deadline_s: seconds that one request may spend on the database before it is answered 503.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: PostgresDsn
    artifact_api_token: SecretStr = SecretStr("")
    chart_dir: Path = Path("charts")
    db_pool_size: int = Field(default=8, ge=1, le=100)
    db_deadline_s: float = Field(default=1.6, gt=0, le=60)

    @property
    def libpq_url(self) -> str:
        """The database's address in libpq's spelling."""
        return f"postgresql://{str(self.database_url).split('://', 1)[1]}"

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address in SQLAlchemy's spelling, with the driver named."""
        return f"postgresql+psycopg://{str(self.database_url).split('://', 1)[1]}"
