"""The doctor's lines about the backend: reachable, an artifact's round trip, and what its log tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.trading.doctor.examining import finding_of
from tests.trading.fault_backend import failing
from tests.trading.parts import Parts
from tests.trading.process import free_port, running_backend
from trading.doctor.finding import Verdict
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


def rows(parts: Parts) -> int:
    """How many artifacts there are."""
    counted: int = parts.rows("SELECT count(*) AS n FROM artifacts")[0]["n"]
    return counted


def test_backend_that_is_ready_passes(parts: Parts, set_up: SetUp) -> None:
    """It answers that it is ready."""
    set_up()
    assert finding_of("backend").verdict is Verdict.PASS


def test_backend_that_is_down_fails(set_up: SetUp) -> None:
    """No process listens there."""
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")
    found = finding_of("backend")
    assert found.verdict is Verdict.FAIL
    assert "refused" in found.detail
    assert "BACKEND_API_URL" in found.fix


def test_backend_without_its_database_fails(set_up: SetUp, tmp_path: Path) -> None:
    """It is up, and says itself what it lacks."""
    nowhere = f"postgresql://ibkr_user:secret@127.0.0.1:{free_port()}/ibkr_trading"
    with running_backend(nowhere, tmp_path / "log", ready=False) as url:
        set_up(backend_api_url=url)
        found = finding_of("backend")
    assert found.verdict is Verdict.FAIL
    assert "503" in found.detail
    assert "database" in found.detail


def test_backend_at_a_wrong_address_fails(parts: Parts, set_up: SetUp) -> None:
    """Something answers, and is no backend."""
    set_up(backend_api_url=parts.notifications)
    found = finding_of("backend")
    assert found.verdict is Verdict.FAIL
    assert "BACKEND_API_URL" in found.fix


@pytest.mark.parametrize("fault", ["html", "empty", "{}"])
def test_backend_that_only_says_200_fails(parts: Parts, set_up: SetUp, fault: str) -> None:
    """A status without the word for it is no readiness."""
    with failing(parts.backend_url, fault) as backend:
        set_up(backend_api_url=backend.url)
        assert finding_of("backend").verdict is Verdict.FAIL


def test_round_trip_passes_and_leaves_nothing(parts: Parts, set_up: SetUp) -> None:
    """The test artifact is written, read back and removed."""
    set_up()
    before = rows(parts)
    found = finding_of("artifact round trip")
    assert found.verdict is Verdict.PASS, found
    assert rows(parts) == before


@pytest.mark.parametrize("fault", ["html", "500", "503, 1 s", "reset before", "another row", "{}"])
def test_round_trip_through_a_sick_backend_fails(parts: Parts, set_up: SetUp, fault: str) -> None:
    """An answer that is not the row is no success, with any status."""
    with failing(parts.backend_url, fault) as backend:
        set_up(backend_api_url=backend.url)
        assert finding_of("artifact round trip").verdict is Verdict.FAIL


def test_round_trip_ends_at_its_deadline(parts: Parts, set_up: SetUp) -> None:
    """A backend that accepts and says nothing is a failed line, in time."""
    with failing(parts.backend_url, "silent after commit") as backend:
        set_up(backend_api_url=backend.url)
        found = finding_of("artifact round trip", deadline_s=0.5)
    assert found.verdict is Verdict.FAIL
    assert found.fix


def test_round_trip_with_a_wrong_token_fails_without_showing_it(parts: Parts, set_up: SetUp, tmp_path: Path) -> None:
    """The fix names the setting, and no secret is shown."""
    with running_backend(parts.database_url, tmp_path / "log", {"ARTIFACT_API_TOKEN": "right-token"}) as url:
        set_up(backend_api_url=url, artifact_api_token="wrong-token")  # noqa: S106 - of this test
        found = finding_of("artifact round trip")
        assert found.verdict is Verdict.FAIL
        assert "401" in found.detail
        assert "ARTIFACT_API_TOKEN" in found.fix
        assert "wrong-token" not in repr(found)
        set_up(backend_api_url=url, artifact_api_token="right-token")  # noqa: S106 - as above
        assert finding_of("artifact round trip").verdict is Verdict.PASS


@pytest.fixture
def logging_backend(parts: Parts, tmp_path: Path) -> Iterator[tuple[httpx.Client, Path]]:
    """A backend that writes into a file of its own."""
    log = tmp_path / "backend.log"
    with (
        running_backend(parts.database_url, log) as url,
        httpx.Client(base_url=f"{url}/api/artifacts", trust_env=False) as client,
    ):
        yield client, log


def test_log_of_good_requests_passes(set_up: SetUp, logging_backend: tuple[httpx.Client, Path], tmp_path: Path) -> None:
    """Each request is counted."""
    client, log = logging_backend
    for _ in range(3):
        client.get("/", params={"limit": 1}).raise_for_status()
    found = finding_of("backend's log", backend_log=log)
    assert found.verdict is Verdict.PASS, found
    assert found.detail.startswith("3 artifact requests, 0 of them")


def test_log_of_refused_artifacts_fails_with_the_last_cause(
    set_up: SetUp, logging_backend: tuple[httpx.Client, Path]
) -> None:
    """What could not be stored is lost to the lineage: counted, with the reason of the last one."""
    client, log = logging_backend
    client.get("/").raise_for_status()
    assert client.post("/", json={"name": "x", "type": "poem"}).status_code == 422
    found = finding_of("backend's log", backend_log=log)
    assert found.verdict is Verdict.FAIL
    assert "2 artifact requests, 1 of them" in found.detail
    assert "POST /api/artifacts/ 422" in found.detail
    assert "type" in found.detail.splitlines()[1]


def test_log_that_tells_requests_twice_counts_them_once(tmp_path: Path) -> None:
    """Our own lines beside those of uvicorn's access log, as in the drills' stack."""
    log = tmp_path / "log"
    log.write_text(
        "2026-11-24 10:45:08,817 INFO trading.backend.request_log artifact_request"
        " method=POST path=/api/artifacts/ status=201 elapsed_ms=2.7\n"
        'INFO:     127.0.0.1:5 - "POST /api/artifacts/ HTTP/1.1" 201 Created\n'
    )
    found = finding_of("backend's log", backend_log=log)
    assert (found.verdict, found.detail) == (Verdict.PASS, "1 artifact requests, 0 of them without a 2xx answer")


def test_doctor_leaves_no_failure_in_the_log(set_up: SetUp, logging_backend: tuple[httpx.Client, Path]) -> None:
    """What it asks of the backend itself does not make its next run warn."""
    client, log = logging_backend
    set_up(backend_api_url=str(client.base_url).removesuffix("/api/artifacts/"))
    for name in ("backend", "artifact round trip"):
        assert finding_of(name).verdict is Verdict.PASS
    assert finding_of("backend's log", backend_log=log).verdict is Verdict.PASS


def test_log_of_another_server_is_understood(tmp_path: Path) -> None:
    """The access log of uvicorn itself tells as much, and a traceback's last line tells the error."""
    log = tmp_path / "log"
    log.write_text(
        'INFO:     127.0.0.1:5 - "POST /api/artifacts/ HTTP/1.1" 201 Created\n'
        'INFO:     127.0.0.1:5 - "GET /health HTTP/1.1" 500 Internal Server Error\n'
        'INFO:     127.0.0.1:5 - "POST /api/artifacts/ HTTP/1.1" 500 Internal Server Error\n'
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in <module>\n'
        "psycopg.OperationalError: the connection is closed\n"
    )
    found = finding_of("backend's log", backend_log=log)
    assert found.verdict is Verdict.FAIL
    assert "2 artifact requests, 1 of them" in found.detail
    assert "psycopg.OperationalError: the connection is closed" in found.detail


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (None, Verdict.FAIL),
        ("", Verdict.WARN),
        ('INFO: "GET /api/artifacts/9 HTTP/1.1" 404 Not Found\n', Verdict.WARN),
        ('INFO: "POST /api/artifacts HTTP/1.1" 307 Temporary Redirect\n', Verdict.FAIL),
    ],
)
def test_log_without_good_news(tmp_path: Path, content: str | None, verdict: Verdict) -> None:
    """A file that is not there; no requests at all; one that found nothing; one that went astray."""
    log = tmp_path / "log"
    if content is not None:
        log.write_text(content)
    found = finding_of("backend's log", backend_log=log)
    assert found.verdict is verdict
    assert found.fix


def test_log_that_was_not_named_is_a_warning() -> None:
    """What was not looked at does not pass."""
    found = finding_of("backend's log")
    assert found.verdict is Verdict.WARN
    assert "--backend-log" in found.fix
