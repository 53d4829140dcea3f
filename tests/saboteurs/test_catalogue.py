"""Each saboteur still finds what it breaks, breaks it, and leaves no trace when another one takes its place."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fixtures.saboteurs import operators
from fixtures.saboteurs.catalogue import SABOTEURS
from harness.drill.description import describe
from harness.saboteurs.declared import read_declared
from harness.saboteurs.plan import tries_of

_REPOSITORY = Path(__file__).parents[2]
_HOOK = _REPOSITORY / "fixtures" / "saboteurs" / "hook"
_LEAST = 75

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

# Each in a fork, as a task of the workflow is, and then none: prints what the module is like before and after.
_EACH_IN_TURN = """
import importlib, json, os, sys
from pathlib import Path
targets, file = json.loads(sys.argv[1]), Path(os.environ["SABOTEUR_FILE"])
modules = {name: importlib.import_module(name) for name in {each for of in targets.values() for each in of}}

def look():
    found = {}
    for name, module in modules.items():
        for part, value in vars(module).items():
            held = vars(value) if isinstance(value, type) and value.__module__ == name else {part: value}
            found |= {(name, part, key): (id(each), id(getattr(each, "__code__", None))) for key, each in held.items()}
    return found

whole = look()
for name in targets:
    file.write_text(name)
    if os.fork() == 0:
        planted = look() != whole
        file.write_text("")
        # A fork of the fork: planted when it began, and rid of it at once.
        if os.fork() == 0:
            print(json.dumps([name, planted, look() == whole]), flush=True)
            os._exit(0)
        os.wait()
        os._exit(0)
    os.wait()
"""


def _run(code: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SABOTEUR")}
    environment |= {"PYTHONPATH": os.pathsep.join([str(_HOOK), str(_REPOSITORY)]), **variables}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(_DEFECTS))
def test_saboteur_changes_what_it_is_for(name: str, tmp_path: Path) -> None:
    """It is planted in the module that it names, the module then does the wrong thing, and that is told."""
    ran = _run(_DEFECTS[name], tmp_path, SABOTEUR=name)
    assert ran.stdout.splitlines()[-1:] == ["True"], ran.stderr
    assert f"saboteur planted: {name} in " in ran.stderr
    assert f"saboteur acted: {name}\n" in ran.stderr


def test_each_is_planted_in_a_fork_and_leaves_no_trace(tmp_path: Path) -> None:
    """Every saboteur finds its places in the system as it is, and what it broke is whole again after it."""
    targets = {name: each.targets for name, each in SABOTEURS.items()}
    ran = _run(_EACH_IN_TURN, tmp_path, json.dumps(targets), SABOTEUR_FILE=str(tmp_path / "switch"))
    told = {name: (planted, whole) for name, planted, whole in map(json.loads, ran.stdout.splitlines())}
    assert told == dict.fromkeys(SABOTEURS, (True, True)), ran.stderr
    for name, each in SABOTEURS.items():
        for target in each.targets:
            assert f"saboteur planted: {name} in {target}\n" in ran.stderr


def test_catalogue_is_large_and_half_made_by_operators() -> None:
    """There are enough of them for a bound that says something, and operators make at least half."""
    of_system = [each for each in SABOTEURS.values() if each.scenarios]
    made_by = [inspect.getmodule(sabotage) is operators for each in of_system for sabotage in each.plants.values()]
    assert len(of_system) >= _LEAST
    assert made_by.count(True) * 2 >= len(of_system)


def test_every_saboteur_says_what_it_is() -> None:
    """A sentence, a class with one promise, and scenarios that exist and can be drilled."""
    stack = describe(_REPOSITORY / "docker-compose.test.yml", seed=0)
    declared = read_declared(stack)
    assert list(declared) == list(SABOTEURS)
    assert [each.name for each in declared.values() if not each.about.endswith(".")] == []
    assert len({(each.kind, each.promise) for each in declared.values()}) == len({e.kind for e in declared.values()})
    tries = tries_of(stack, [each for each in declared.values() if each.scenarios], sound=0)
    assert Counter(each.name for each in tries).most_common(1)[0][1] >= 1


def test_targets_that_stay_loaded_name_what_is_restarted() -> None:
    """The backend keeps its modules: a saboteur of its code would else never get into it."""
    forgotten = [
        each.name
        for each in SABOTEURS.values()
        if ("backend" in each.restarts) != any(target.startswith("trading.backend") for target in each.targets)
    ]
    assert forgotten == []
