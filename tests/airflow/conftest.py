"""A real Airflow on a real PostgreSQL, made once for all tests of this folder."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow.parts import DEADLINE_S, Parts
from tests.postgres.server import launch


@pytest.fixture(scope="module")
def airflow(starts_a_stack: None) -> Iterator[Parts]:
    """Migrated database, api-server, scheduler and dag-processor."""
    folder = Path(tempfile.mkdtemp(prefix="airflow-test-"))
    # As root PostgreSQL runs as another user, who has to get through.
    folder.chmod(0o711)
    postgres = launch(folder, folder / "data")
    parts = Parts(folder, postgres.port)
    try:
        postgres.connect()
        assert parts.start("migrate").wait(timeout=DEADLINE_S) == 0, parts.log("migrate").read_text()[-2000:]
        del parts.running["migrate"]
        parts.start("api-server", "--port", str(parts.port))
        parts.start("scheduler")
        parts.start("dag-processor")
        parts.wait_for("api-server", lambda: parts.serves("/api/v2/version"))
        yield parts
    finally:
        for part in list(parts.running):
            parts.end(part, signal.SIGKILL)
        postgres.end(signal.SIGTERM)
        shutil.rmtree(folder)
