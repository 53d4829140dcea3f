"""The offline stand-in for the official PostgreSQL image starts, and ends, as that one does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from docker.models.containers import Container

from tests.images.conftest import Made, Run, ask, ask_until, end_of, log_of

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("made")]

IMAGE = "trading-postgres"
_SETTINGS = {
    "POSTGRES_USER": "drill",
    "POSTGRES_PASSWORD": "secret",
    "POSTGRES_DB": "prices",
    "POSTGRES_INITDB_ARGS": "--no-sync",
}
_ASK = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--username=drill", "--dbname=prices", "--command"]
_QUICK_S = 3.0


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Scripts of both kinds, the second of which needs the first."""
    (tmp_path / "10-table.sql").write_text("CREATE TABLE quotes (symbol text);\n")
    (tmp_path / "20-row.sh").write_text("psql --command \"INSERT INTO quotes VALUES ('AAPL')\"\n")
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    return tmp_path


@pytest.fixture(autouse=True)
def _offline(made: Made) -> None:
    if not made.offline:
        pytest.skip("the official image is used where a registry can be reached")


def _ready(container: Container) -> None:
    ask_until(container, ["pg_isready", "--quiet", "--username=drill"], lambda code, _: code == 0)


def _sql(container: Container, statement: str) -> str:
    code, output = ask(container, [*_ASK, statement])
    assert code == 0, output
    return output.strip()


def test_new_database_honours_environment_scripts_and_settings(run: Run, scripts: Path) -> None:
    """It is ready only when its scripts have run, and asks for the password over the network."""
    mounts = [f"{scripts}:/docker-entrypoint-initdb.d:ro"]
    container = run(IMAGE, ["postgres", "-c", "max_connections=7"], environment=_SETTINGS, volumes=mounts)
    _ready(container)
    assert _sql(container, "SELECT symbol FROM quotes") == "AAPL"
    assert _sql(container, "SHOW max_connections") == "7"
    assert _sql(container, "SHOW data_directory") == "/var/lib/postgresql/18/docker"
    over_network = [*_ASK[:-1], "--host=127.0.0.1", "--no-password", "--command", "SELECT 1"]
    assert ask(container, over_network)[0] != 0
    assert ask(container, over_network, {"PGPASSWORD": "secret"})[0] == 0


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_database_ends_quickly_and_in_order(run: Run, signal: str) -> None:
    """A drill that takes the stack down does not wait for it, and the next start needs no recovery."""
    container = run(IMAGE, environment=_SETTINGS)
    _ready(container)
    started = time.monotonic()
    container.kill(signal)
    assert end_of(container) == 0
    assert time.monotonic() - started < _QUICK_S
    assert "database system is shut down" in log_of(container)


def test_stop_ends_clients_that_are_still_there(run: Run) -> None:
    """The image's own stop signal is the fast one."""
    container = run(IMAGE, environment=_SETTINGS)
    _ready(container)
    container.exec_run([*_ASK, "SELECT pg_sleep(60)"], detach=True)
    ask_until(
        container,
        [*_ASK, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"],
        lambda _, said: said.strip() == "1",
    )
    started = time.monotonic()
    container.stop(timeout=30)
    assert time.monotonic() - started < _QUICK_S


def test_killed_database_is_the_same_after_its_restart(run: Run) -> None:
    """What was committed is there again, and the scripts are not run a second time."""
    container = run(IMAGE, environment=_SETTINGS)
    _ready(container)
    _sql(container, "CREATE TABLE kept AS SELECT 42 AS answer")
    container.kill("SIGKILL")
    end_of(container)
    container.start()
    _ready(container)
    assert _sql(container, "SELECT answer FROM kept") == "42"


def test_new_database_without_a_password_is_refused(run: Run) -> None:
    """One line says what is missing."""
    container = run(IMAGE)
    assert end_of(container) == 1
    assert "POSTGRES_PASSWORD" in log_of(container)


def test_failing_script_ends_the_start(run: Run, scripts: Path) -> None:
    """A database that is half made never looks like one that is ready."""
    (scripts / "15-wrong.sql").write_text("SELECT nothing FROM nowhere;\n")
    container = run(IMAGE, environment=_SETTINGS, volumes=[f"{scripts}:/docker-entrypoint-initdb.d:ro"])
    assert end_of(container) != 0
    assert "nowhere" in log_of(container)
