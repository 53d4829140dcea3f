"""Each saboteur still finds what it breaks, and breaks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]
_FOLDER = _REPOSITORY / "fixtures" / "saboteurs"
_NAMES = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")

# Prints True where the defect is at work.
_DEFECTS = {
    "client_without_spool": """
from pathlib import Path
import tempfile
from trading.workflow.spool import Spool
spool = Spool(Path(tempfile.mkdtemp(dir=".")), max_bytes=10_000_000)
spool.add(key="k", execution_id="run", name="chart", body="{}", cause="refused")
print(spool.waiting() == [])
""",
    "client_without_idempotency_key": """
import asyncio, http.server, threading
from pathlib import Path
from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.errors import BackendUnavailable
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

keys = []

class Backend(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        keys.append(self.headers["Idempotency-Key"])
        self.send_error(503)
    def log_message(self, *_):
        pass

with http.server.HTTPServer(("127.0.0.1", 0), Backend) as backend:
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    settings = WorkflowSettings(
        backend_api_url=f"http://127.0.0.1:{backend.server_port}",
        database_url="postgresql://user@127.0.0.1:1/none",
    )

    async def send_twice():
        async with ArtifactStorage(settings, Spool(Path("spool"), max_bytes=10_000_000)) as storage:
            for _ in range(2):
                try:
                    await storage.send("the-key", "{}")
                except BackendUnavailable:
                    pass

    asyncio.run(send_twice())
    backend.shutdown()
print(len(set(keys)) == 2 and "the-key" not in keys)
""",
    "order_retried_without_looking": """
import asyncio
from trading.workflow.order_placing import OrderPlacing
print(asyncio.run(OrderPlacing._search(None, None, None)) is None)
""",
    "fault_not_applied": """
import asyncio
from harness.runtime.effects import link
print(asyncio.run(link.apply_fault(None, None)) is None)
""",
}


@pytest.mark.parametrize("name", _NAMES)
def test_saboteur_changes_what_it_is_for(name: str, tmp_path: Path) -> None:
    """It is planted in the module that it names, and the module then does the wrong thing."""
    environment = {variable: value for variable, value in os.environ.items() if not variable.startswith("SABOTEUR")}
    environment |= {"SABOTEUR": name, "PYTHONPATH": os.pathsep.join([str(_FOLDER / "hook"), str(_REPOSITORY)])}
    ran = subprocess.run(
        [sys.executable, "-c", _DEFECTS[name]],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.splitlines()[-1:] == ["True"], ran.stderr
    assert f"saboteur planted: {name} in " in ran.stderr
