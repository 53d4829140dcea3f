"""A small stack without Airflow: a server that stores things, and a client that asks it for them over a link."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness.runtime.cache import VARIABLE, cache_directory

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 120.0
POLL_S = 0.05
SERVER = """\
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

THINGS, LOCK = [], threading.Lock()

class Things(BaseHTTPRequestHandler):
    def do_POST(self):
        thing = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"]
        with LOCK:
            if os.environ["LOSES"] != "yes":
                THINGS.append(thing)
        self._answer({"id": thing})

    def do_GET(self):
        with LOCK:
            self._answer([{"id": thing} for thing in THINGS])

    def _answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Things).serve_forever()
"""
CLIENT = """\
import http.client, os, time
from urllib.parse import urlsplit

print("asks", flush=True)
while True:
    try:
        connection = http.client.HTTPConnection(urlsplit(os.environ["SERVER_URL"]).netloc, timeout=1)
        connection.request("GET", "/things")
        connection.getresponse().read()
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        print(f"no things: {type(error).__name__}", flush=True)
    time.sleep(0.1)
"""
COMPOSE = """\
services:
  server:
    environment: {LOSES: "${LOSES:-no}"}
    x-harness:
      run: [python, "{project}/server.py", "{port:8000}"]
      ready: {http: "http://server:8000/things"}
      ready_within_s: 30
  client:
    environment: {SERVER_URL: "http://server:8000/"}
    depends_on: {server: {condition: service_healthy}}
    x-harness:
      run: [python, -u, "{project}/client.py"]
      ready: {log: asks}
      ready_within_s: 30
x-harness:
  links: [client -> server:8000]
  link_probes: {"server:8000": http}
  adapters:
    workload:
      http: {method: POST, url: "http://server:8000/things", json: {id: "{run}-{n}"}, times: 4, every_s: 0.2, deadline_s: 4}
    operations: {http: {url: "http://server:8000/things"}, id: id}
"""
CALM = "name: calm\nabout: Nothing goes wrong.\npromises: [acknowledged-once]\n"
CUT = """\
name: cut
about: The client's connections are cut while things are stored.
promises: [acknowledged-once]
faults:
  - {link: client -> server, is: reset, from: {at_s: 0.1}, for_s: 4}
"""


@dataclass
class SmallStack:
    """The stack in a folder of its own, and the `harness` commands that a test runs on it.

    Args:
        home: the folder.
        sessions: where sessions are; other users may pass through it, as Postgres must.
    """

    home: Path
    sessions: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, **files: str) -> None:
        """Write the stack, and files of a test's own in place of some: ``compose``, or a scenario's name."""
        scenarios = self.home / "scenarios"
        scenarios.mkdir(parents=True, exist_ok=True)
        (self.home / "server.py").write_text(SERVER)
        (self.home / "client.py").write_text(CLIENT)
        (self.home / "compose.yml").write_text(files.pop("compose", COMPOSE))
        for name, text in ({"calm": CALM, "cut": CUT} | files).items():
            (scenarios / f"{name}.yaml").write_text(text)

    @property
    def reports(self) -> Path:
        """Where reports go."""
        return self.home / "reports"

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a `harness` command on this stack."""
        options = ["--stack", str(self.home / "compose.yml")]
        options += ["--reports", str(self.reports)] * (command[0] in ("drill", "load"))
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *command, *options],
            cwd=PROJECT,
            env=os.environ | {VARIABLE: str(cache_directory(PROJECT)), "TMPDIR": str(self.sessions)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *command: str, **variables: str) -> tuple[int, str]:
        """Run a `harness` command to its end: its exit code, and what it said."""
        return finish(self.start(*command, **variables))

    def history(self, scenario: str = "cut") -> str:
        """The history of a drill, as it is by now."""
        return "".join(path.read_text() for path in self.reports.glob(f"*/{scenario}/history.jsonl"))

    def wait_for(self, word: str, harness: subprocess.Popen[str], scenario: str = "cut") -> None:
        """Wait until the history of a drill has a word."""
        wait_until(lambda: word in self.history(scenario), word, harness)

    def log_of(self, service: str) -> Path:
        """The log of a service of the stack that runs."""
        (path,) = self.sessions.glob(f"harness-*/logs/{service}.log")
        return path

    def left(self) -> list[str]:
        """What is still there of any session: its processes, and its directory."""
        return [*(f"process {each.pid}" for each in self._processes()), *map(str, self.sessions.glob("harness-*"))]

    def wait_until_gone(self) -> None:
        """Wait until nothing is left of any session."""
        wait_until(lambda: not self.left(), "nothing of a session to be left", None)

    def close(self) -> None:
        """End what a test has left running."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            process.communicate(timeout=60)

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.environ().get("HARNESS_SESSION_DIR", "").startswith(str(self.sessions)):
                    yield process
            except psutil.Error:
                continue


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a command: its exit code, and what it said."""
    said, _ = process.communicate(timeout=DEADLINE_S)
    return process.returncode, said


def wait_until(condition: Callable[[], bool], what: str, harness: subprocess.Popen[str] | None) -> None:
    """Wait for a condition, for as long as the harness runs."""
    gives_up_at_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < gives_up_at_s, f"waited {DEADLINE_S:g} s for {what}"
        if harness is not None:
            assert harness.poll() is None, f"before {what}, it ended: {harness.communicate()[0]}"
        time.sleep(POLL_S)
