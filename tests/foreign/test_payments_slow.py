"""A system that is none of ours is drilled through `harness init`, without a change to its files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from harness.images.environment import read
from harness.runtime.cache import VARIABLE, cache_directory
from tests.foreign.overlay import BY_HTTP, BY_SQL, FILES, Fields, edit, proposed

pytestmark = pytest.mark.drill

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 300
LOCAL, DOCKER = "local", "docker"
IMAGE = "trading-backend"


@dataclass(frozen=True)
class Drilled:
    """What a `harness drill` came to."""

    exit_code: int
    said: str
    verdicts: dict[str, str]
    titles: dict[str, set[str]]


def drill(overlay: Path, *scenarios: str, runtime: str = LOCAL, **variables: str) -> Drilled:
    """Drill the system behind an overlay."""
    reports = overlay.parent.parent / "reports"
    options = ["--stack", str(overlay), "--runtime", runtime, "--reports", str(reports), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", "drill", *scenarios, *options],
        cwd=PROJECT,
        # Its own image is made elsewhere: any that has Python and psycopg serves, for its code is mounted.
        env=os.environ | {VARIABLE: str(cache_directory(PROJECT)), "PAYMENTS_IMAGE": IMAGE} | variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    rows = json.loads(done.stdout) if done.stdout else []
    return Drilled(
        done.returncode,
        done.stderr,
        {row["scenario"]: row["verdict"] for row in rows},
        {row["scenario"]: {finding["title"] for finding in row["findings"]} for row in rows},
    )


def skip_without_images(runtime: str) -> None:
    """Skip where an image that the system runs on is not there."""
    if runtime == LOCAL:
        return
    client = docker.from_env()
    try:
        for image in (IMAGE, "trading-toxiproxy", read(cache_directory(PROJECT)).get("POSTGRES_IMAGE", "postgres:18")):
            client.images.get(image)
    except ImageNotFound:
        pytest.skip("needs the images: `make images`")
    finally:
        client.close()


def digest(folder: Path) -> dict[str, str]:
    """The content of every file of the system."""
    files = [path.relative_to(FILES) for path in FILES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path): hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in files}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the system is copied to."""
    return tmp_path / "payments"


@pytest.mark.parametrize(
    ("operations", "runtime"),
    [(BY_HTTP, LOCAL), (BY_SQL, LOCAL), pytest.param(BY_HTTP, DOCKER, marks=pytest.mark.docker)],
    ids=["http", "sql", "http-docker"],
)
def test_payments_that_are_stored_first_pass(home: Path, operations: Fields, runtime: str) -> None:
    """A service that answers once it has stored loses nothing, and its files are as they were."""
    skip_without_images(runtime)
    overlay = edit(proposed(home), operations=operations, locally=runtime == LOCAL)
    found = drill(overlay, "healthy", "api-db-refused", runtime=runtime)
    assert (found.exit_code, found.verdicts) == (0, {"healthy": "PASS", "api-db-refused": "PASS"}), found.said
    assert digest(home) == digest(FILES)


@pytest.mark.parametrize("runtime", [LOCAL, pytest.param(DOCKER, marks=pytest.mark.docker)])
def test_payments_that_are_acknowledged_too_early_fail(home: Path, runtime: str) -> None:
    """A service that answers before it has stored is caught: what it acknowledged is not there."""
    skip_without_images(runtime)
    # The last one may be read while it is just being stored: what is lost does not come however long one waits.
    overlay = edit(proposed(home), operations=BY_SQL | {"within_s": 10}, locally=runtime == LOCAL)
    found = drill(overlay, "healthy", "api-db-refused", runtime=runtime, ACK_EARLY="yes")
    assert (found.exit_code, found.verdicts["api-db-refused"]) == (1, "FAIL"), found.said
    assert any("acknowledged operation" in title for title in found.titles["api-db-refused"])
    # Without a fault, the defect does not show: the drill finds it, not the weather.
    assert found.verdicts["healthy"] == "PASS"


@pytest.mark.parametrize(("within_s", "verdict"), [(0, "FAIL"), (20, "PASS")])
def test_payments_that_appear_later_have_their_time(home: Path, within_s: int, verdict: str) -> None:
    """A system that stores behind a queue may be given time; without it, what is not there yet counts as lost."""
    overlay = edit(proposed(home), operations=BY_SQL | {"within_s": within_s}, locally=True)
    found = drill(overlay, "healthy", ACK_EARLY="yes", STORE_AFTER_S="2")
    assert found.verdicts == {"healthy": verdict}, found.said


def test_payments_without_a_workload_are_only_watched(home: Path) -> None:
    """The proposal as it is can be drilled: the auditor, which calls by itself, meets the fault."""
    overlay = edit(proposed(home), operations=None, locally=True)
    found = drill(overlay, "audit-api-refused")
    assert (found.exit_code, found.verdicts) == (3, {"audit-api-refused": "WATCHED ONLY"}), found.said


def test_payments_without_commands_do_not_run_locally(home: Path) -> None:
    """A service that says only how it runs as a container is told as that, before anything is drilled."""
    found = drill(proposed(home), "healthy")
    assert found.exit_code == 2
    assert "has no x-harness.run, so it cannot run as a local process" in found.said
