"""The parts that the workflow runs on: Postgres and the backend, and the stand-ins for everybody outside."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.trading.analysis_parts import KEY, running_analysis
from tests.trading.parts import Parts
from tests.trading.process import answers, free_port, running, running_backend, running_gateway
from tests.trading.relay import Relay, relay_to
from trading.workflow import notify
from trading.workflow.settings import WorkflowSettings, read_settings

_USER = {"POSTGRES_USER": "ibkr_user", "POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "ibkr_trading"}


@pytest.fixture(scope="session", autouse=True)
def _apprise_loaded() -> None:
    """Apprise's modules, loaded before the tests: one of them imports a module that Python has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        notify.warm_up()


@pytest.fixture(scope="session")
def postgres_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A PostgreSQL server."""
    # As root, the server drops to a user who cannot walk into pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="trading-tests-"))
    folder.chmod(0o755)
    port = free_port()
    arguments = ["-m", "fixtures.postgres", "--port", str(port), "--data", str(folder / "data")]

    def accepts() -> bool:
        try:
            psycopg.connect(url_of(port), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    with running(arguments, tmp_path_factory.mktemp("postgres") / "log", _USER) as process:
        process.require(accepts, "Postgres accepts connections")
        yield port
    shutil.rmtree(folder, ignore_errors=True)


def url_of(port: int, database: str = "ibkr_trading") -> str:
    """The address of a database."""
    return f"postgresql://ibkr_user:secret@127.0.0.1:{port}/{database}"


@pytest.fixture(scope="session")
def parts(postgres_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Everything that a run needs."""
    logs = tmp_path_factory.mktemp("logs")
    sink = free_port()
    with (
        running_gateway(logs) as (gateway, control),
        running(["-m", "fixtures.notification_sink", "--port", str(sink)], logs / "sink.log") as sink_process,
        running_analysis(logs) as analysis,
        running_backend(url_of(postgres_port), logs / "backend.log") as backend_url,
    ):
        sink_process.require(lambda: answers(f"http://127.0.0.1:{sink}/health"), "the notification sink's health")
        yield Parts(
            database_url=url_of(postgres_port),
            database_port=postgres_port,
            backend_url=backend_url,
            gateway_port=gateway,
            gateway_control=control,
            notifications=f"http://127.0.0.1:{sink}",
            analysis=analysis,
        )


@pytest.fixture
def clean_gateway(parts: Parts) -> Parts:
    """The parts, with a gateway that has had no orders."""
    httpx.post(f"{parts.gateway_control}/reset", trust_env=False).raise_for_status()
    return parts


@pytest.fixture
def gateway_relay(clean_gateway: Parts) -> Iterator[Relay]:
    """A relay in front of the gateway."""
    with relay_to(clean_gateway.gateway_port) as relay:
        yield relay


@pytest.fixture
def set_up(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WorkflowSettings]:
    """Put the workflow's settings into the environment, with changes, and read them."""

    def change(**changes: object) -> WorkflowSettings:
        settings = {
            "backend_api_url": parts.backend_url,
            "database_url": parts.database_url,
            "ibkr_port": parts.gateway_port,
            "artifact_spool_dir": tmp_path / "spool",
            "chart_dir": tmp_path / "charts",
            "notify_urls": parts.notifications.replace("http://", "json://") + "/notify",
            "llm_api_base_url": f"{parts.analysis}/v1",
            "llm_api_key": KEY,
            "llm_model": "test-model",
            **changes,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name.upper(), str(value))
        return read_settings()

    return change
