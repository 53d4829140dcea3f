"""Tiny systems, of a few lines each, as local processes: what they do wrong is all that they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.runtime.cache import VARIABLE, cache_directory

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 90
LINK = "cli -> srv:8000"
Fields = dict[str, object]

# Answers each piece of work as `answer` says of its number, and all else well; None takes it and ends the connection.
SERVER = """\
import http.server, itertools, sys
numbers = itertools.count(1)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = answer(next(numbers)) if self.path == "/work" else 200
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_GET
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
WELL = "def answer(number): return 200\n"
CLIENT = """\
import os, sys, time, urllib.request
def call():
    with urllib.request.urlopen(os.environ["URL"], timeout=1) as answer:
        return answer.status
"""
# Goes on after any failure, and says so.
POLLS = """\
while True:
    try: print("polled", call(), flush=True)
    except OSError as error: print("poll failed:", error, flush=True)
    time.sleep(0.1)
"""
WATCH: Fields = {"wait": {"for_s": 2}}
REQUESTS: Fields = {"http": {"url": "http://srv:8000/work", "times": 5, "every_s": 0.1, "deadline_s": 2}}


@dataclass(frozen=True)
class Drilled:
    """What a drill came to.

    Args:
        findings: the check and the title of each.
    """

    exit_code: int
    verdict: str
    findings: list[tuple[str, str]]
    said: str


def fault(name: str, *, for_s: float = 1.0) -> Fields:
    """A fault on the one link."""
    return {"link": LINK, "is": name, "from": {"at_s": 0.3}, "for_s": for_s}


def drill(
    home: Path,
    *,
    server: str = WELL,
    client: str = POLLS,
    workload: Fields = WATCH,
    adapters: Fields | None = None,
    faults: list[Fields] | None = None,
    promises: list[str] | None = None,
    helper: Fields | None = None,
    restart: str = "no",
) -> Drilled:
    """Drill a client and its server.

    Args:
        home: where their files are written.
        server: what ``answer`` of the server does.
        client: what the client does.
        workload: what counts as a run.
        adapters: what else the stack's file says of it.
        faults: what goes wrong; nothing by default.
        promises: those that are named; none by default, which means all that can be checked.
        helper: a third service, for whose start the client waits; by default there is none.
        restart: the client's restart policy.
    """
    (home / "srv.py").write_text(server + SERVER)
    (home / "cli.py").write_text(CLIENT + client)
    said: Fields = {"workload": workload, "traffic": [{"link": LINK, "log": "."}], **(adapters or {})}
    waits_for: Fields = {"srv": {"condition": "service_healthy"}}
    services: Fields = {
        "srv": {
            "x-harness": {
                "run": ["python", "{project}/srv.py", "{port:8000}"],
                "ready": {"http": "http://srv:8000/health"},
            }
        },
        "cli": {
            "environment": {"URL": "http://srv:8000/work"},
            "depends_on": waits_for,
            "restart": restart,
            "x-harness": {"run": ["python", "{project}/cli.py"]},
        },
    }
    scenario: Fields = {
        "name": "tiny",
        "about": "A tiny system meets a fault, or none.",
        "faults": faults or [],
        "promises": promises or [],
        "run_limit_s": 20,
        "recovery_limit_s": 8,
    }
    if helper is not None:
        services = {"helper": helper, **services}
        waits_for["helper"] = {"condition": "service_started"}
    stack: Fields = {
        "services": services,
        "x-harness": {"links": [LINK], "link_probes": {"srv:8000": "http"}, "adapters": said},
    }
    (home / "compose.yml").write_text(yaml.safe_dump(stack))
    (home / "scenarios").mkdir()
    (home / "scenarios" / "tiny.yaml").write_text(yaml.safe_dump(scenario))
    return drilled(home / "compose.yml", home / "reports", "tiny")


def drilled(stack: Path, reports: Path, scenario: str) -> Drilled:
    """Run `harness drill` for one scenario."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "harness",
            "drill",
            scenario,
            "--stack",
            str(stack),
            "--reports",
            str(reports),
            "--json",
        ],
        cwd=PROJECT,
        env=os.environ | {VARIABLE: str(cache_directory(PROJECT))},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    if not done.stdout:
        return Drilled(done.returncode, "none", [], done.stderr)
    (row,) = json.loads(done.stdout)
    found = [(finding["check"], finding["title"]) for finding in row["findings"]]
    return Drilled(done.returncode, row["verdict"], found, done.stderr)
