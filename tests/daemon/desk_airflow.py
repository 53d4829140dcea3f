"""A service of the test's stack: Airflow 2's stable REST API for one DAG, whose runs take a moment and say so in SQL.

It runs as a file, without the rest of the tests: ``python desk_airflow.py PORT RUN_S``.

Source: https://airflow.apache.org/docs/apache-airflow/2.10.5/stable-rest-api-ref.html
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

_RUNS = re.compile(r"/api/v1/dags/desk/dagRuns(?:/(?P<run>[^/]+))?(?P<rest>/taskInstances)?")
_HEALTHY = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "dag_processor")}


class Desk:
    """Its runs, and when each began.

    Args:
        dsn: the system's database, where each run's outcome is recorded.
        run_s: how long a run takes.
    """

    def __init__(self, dsn: str, run_s: float) -> None:
        self._dsn = dsn
        self._run_s = run_s
        self._began_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, body: dict[str, str]) -> tuple[int, object]:
        """Answer one request."""
        if path == "/api/v1/health":
            return 200, _HEALTHY
        if path == "/api/v1/importErrors":
            return 200, {"import_errors": []}
        if path == "/api/v1/dags/desk":
            return 200, {}
        found = _RUNS.fullmatch(path)
        if found is None or (found["run"] is not None and found["run"] not in self._began_s):
            return 404, {"title": "not found"}
        with self._lock:
            return self._runs(method, found["run"], found["rest"], body)

    def _runs(self, method: str, run: str | None, rest: str | None, body: dict[str, str]) -> tuple[int, object]:
        if method == "POST":
            run = body["dag_run_id"]
            self._record(run)
            self._began_s[run] = time.monotonic()
        if run is None:
            return 200, {"dag_runs": [self._run(each) for each in self._began_s]}
        if rest is not None:
            now = datetime.now(UTC).isoformat()
            task = {"task_id": "draw", "state": self._run(run)["state"], "try_number": 1, "start_date": now}
            return 200, {"task_instances": [task | {"end_date": now}], "total_entries": 1}
        if method == "DELETE":
            del self._began_s[run]
            return 204, {}
        return 200, self._run(run)

    def _run(self, run: str) -> dict[str, str]:
        over = time.monotonic() - self._began_s[run] > self._run_s
        return {"dag_run_id": run, "state": "success" if over else "running"}

    def _record(self, run: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("INSERT INTO runs VALUES (%s, 'success', '[]')", [run])


def main() -> None:
    """Serve until it is ended."""
    desk = Desk(os.environ["DATABASE_URL"], float(sys.argv[2]))
    login = "Basic " + base64.b64encode(f"desk:{os.environ['DESK_PASSWORD']}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            if path == "/api/v1/health" or self.headers.get("Authorization") == login:
                status, answer = desk.answer(self.command, path, json.loads(body or b"{}"))
            else:
                status, answer = 401, {"title": "who are you?"}
            text = json.dumps(answer).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class looks them up

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
