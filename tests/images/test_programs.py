"""Each image's program runs as an ordinary user on a root file system that cannot be written to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from docker.models.containers import Container

from tests.images.conftest import MEMORY, Made, Run, ask, ask_until, said_by

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("made")]

_STATUS = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def _status_of(container: Container, url: str, wanted: str) -> str:
    return ask_until(container, ["python", "-c", _STATUS, url], lambda _, said: said.strip() == wanted).strip()


@pytest.mark.parametrize(
    ("image", "url", "status"),
    [
        # 503: it serves, and says that it has no database.
        ("trading-backend", "http://127.0.0.1:8000/health/ready", "503"),
        ("trading-ibkr-gateway", "http://127.0.0.1:4003/health", "200"),
        ("trading-analysis", "http://127.0.0.1:8090/health", "200"),
        ("trading-notifications", "http://127.0.0.1:8080/health", "200"),
    ],
)
def test_server_image_answers_on_a_read_only_root(run: Run, image: str, url: str, status: str) -> None:
    """The image's own command serves, with nothing that it may write to but memory."""
    environment = {"DATABASE_URL": "postgresql://user@127.0.0.1:1/none", "ARTIFACT_API_TOKEN": "test-token"}
    container = run(image, environment=environment | {"CHART_DIR": f"{MEMORY}/charts", "LLM_API_KEY": "test"})
    assert _status_of(container, url, status) == status
    assert ask(container, ["id", "-u"])[1].strip() == "10001"


@pytest.mark.parametrize(
    ("image", "command", "tmpfs", "says"),
    [
        ("trading-airflow", ["python", "-m", "airflow", "version"], [MEMORY, "/opt/airflow"], "3."),
        ("trading-airflow", ["python", "-m", "fixtures.airflow", "--help"], [MEMORY], "api-server"),
        ("trading-airflow", ["python", "-m", "trading.doctor", "--help"], [MEMORY], "usage"),
        ("trading-toxiproxy", ["-version"], [], "version 2."),
        ("trading-net-tools", ["iptables", "--version"], [], "iptables"),
        ("trading-net-tools", ["ip", "-Version"], [], "iproute2"),
        ("trading-postgres", ["postgres", "--version"], [MEMORY], "PostgreSQL) 18"),
    ],
)
def test_tool_image_runs_on_a_read_only_root(
    run: Run, made: Made, image: str, command: Sequence[str], tmpfs: Sequence[str], says: str
) -> None:
    """It says what it is, with nothing that it may write to but memory."""
    if image == "trading-postgres" and not made.offline:
        pytest.skip("the official image is used where a registry can be reached")
    container = run(image, list(command), tmpfs=dict.fromkeys(tmpfs, ""))
    assert says in said_by(container)
    # The tools alone run as root: they change the network of the container that they join.
    user = container.attrs["Config"]["User"]
    assert (user == "") == (image == "trading-net-tools")


def test_new_volumes_of_the_system_belong_to_its_user(run: Run) -> None:
    """What the workflow writes into a new volume, the backend reads."""
    places = {"/var/lib/trading": "", "/opt/airflow/logs": ""}
    writing = run("trading-airflow", ["touch", *(f"{place}/written" for place in places)], volumes=list(places))
    assert said_by(writing) == ""
    reading = run("trading-backend", ["ls", "/var/lib/trading"], volumes_from=[writing.id])
    assert said_by(reading).split() == ["written"]


def test_saboteur_hook_needs_nothing_but_pythonpath(run: Run) -> None:
    """Packages and code are found without that variable, so that it is free for the hook."""
    environment = {"PYTHONPATH": "/opt/trading/fixtures/saboteurs/hook", "SABOTEUR": "client-without-spool"}
    container = run("trading-airflow", ["python", "-c", "import trading.workflow.spool"], environment=environment)
    assert "saboteur planted: client-without-spool" in said_by(container)
