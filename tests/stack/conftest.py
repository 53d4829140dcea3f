"""A compose file of the smallest kind, to be changed by each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.stack.stack import Stack, load_stack

SMALL = """\
services:
  server:
    environment: {TOKEN: "${TOKEN:-none}"}
    x-harness:
      run: [python, -m, http.server, "{port:8000}"]
      ready: {http: "http://server:8000/"}
  client:
    environment:
      SERVER_URL: http://server:8000/api
      SERVER_HOST: server
      SERVER_PORT: "8000"
    depends_on: [server]
    x-harness:
      run: [python, -c, "import time; time.sleep(60)"]
x-harness:
  links:
    - client -> server:8000
  secrets: [TOKEN]
  adapters:
    airflow: {url: "http://server:8000", tasks_run_in: client, username: a, password: "${TOKEN}", dag: d}
    gateway: {control: "http://server:8000"}
    notifications: {url: "http://server:8000"}
    database: {dsn: "postgresql://u:p@server:8000/d"}
    artifacts: {sql: SELECT, per_symbol: {draw: [chart]}}
    orders: {sql: SELECT, statuses: {Filled: [FILLED]}}
    outcome: {sql: SELECT}
"""

Load = Callable[..., Stack]


@pytest.fixture
def small(tmp_path: Path) -> Load:
    """Load the small stack with some of its text replaced."""

    def load(*replacements: tuple[str, str], relaxed: bool = False, **variables: str) -> Stack:
        text = SMALL
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "compose.yml"
        path.write_text(text)
        return load_stack(path, variables, relaxed=relaxed)

    return load
