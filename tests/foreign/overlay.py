"""What a user adds to the proposal for the payments system, by editing the file that `harness init` has written."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from harness.cli.init import init

FILES = Path(__file__).with_name("payments")
Fields = dict[str, object]

WORKLOAD: Fields = {
    "http": {
        "method": "POST",
        "url": "http://api:8000/payments",
        "json": {"id": "{run}-{n}", "cents": 125},
        "times": 12,
        "every_s": 0.3,
        "deadline_s": 4,
    }
}
PROBES: Fields = {
    "cents-are-right": {"sql": "SELECT id FROM payments WHERE cents <> 125", "rows": 0},
    "refusals-are-logged": {
        "log": "api",
        "matches": "not stored",
        "at_least": 1,
        "during": "faults",
        "under": "api -> db",
    },
    "quiet-afterwards": {"log": "api", "matches": "not stored|lost", "at_most": 0, "during": "after"},
}
BY_SQL: Fields = {"sql": "SELECT id FROM payments", "id": "id"}
BY_HTTP: Fields = {
    "http": {
        "url": "http://api:8000/payments",
        "rows": "data.items",
        "cursor": {"path": "next", "parameter": "after"},
    },
    "id": "payment.id",
}
# How its services run as local processes, for machines without Docker.
LOCALLY: dict[str, Fields] = {
    "db": {
        "run": ["python", "-m", "fixtures.postgres", "--port", "{port:5432}", "--data", "{data}/pg", "--init-dir", "{project}/sql"],
    },
    "api": {"run": ["python", "{project}/app/server.py"], "environment": {"LISTEN_PORT": "{port:8000}"}},
    "audit": {"run": ["python", "{project}/app/audit.py"], "ready": {"log": "payments"}},
}  # fmt: skip


def proposed(home: Path, *, scenarios: bool = True) -> Path:
    """A copy of the system with the proposal of `harness init` beside its compose file."""
    shutil.copytree(FILES, home)
    assert init(home / "docker-compose.yml", None, scenarios=scenarios, force=False) == 0
    return home / "docker-compose.harness.yml"


def edit(overlay: Path, *, operations: Fields | None, locally: bool) -> Path:
    """Edit the proposal.

    Args:
        overlay: the file.
        operations: how the traces of the workload are read; without them, the system is only watched.
        locally: whether to say how its services run as local processes.
    """
    document = yaml.safe_load(overlay.read_text())
    if operations is not None:
        document["x-harness"]["adapters"] |= {"workload": WORKLOAD, "operations": operations, "probes": PROBES}
    for name, part in LOCALLY.items() if locally else ():
        service = document["services"].setdefault(name, {"x-harness": {}})
        service["x-harness"] |= part
    overlay.write_text(yaml.safe_dump(document, sort_keys=False))
    return overlay
