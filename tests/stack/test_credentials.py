"""Where credentials come from is told as the loader of the stack has it, and never what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.stack.credentials import Origin, read_from, secret_origins
from harness.stack.stack import load_stack

COMPOSE = """\
services:
  db:
    x-harness: {run: [serve, "{port:5432}"]}
x-harness:
  secrets: [GIVEN, HIDDEN, WRITTEN, NOWHERE, EMPTY]
  variables: {WRITTEN: from-the-file, GIVEN: not-this-one}
  adapters:
    workload: {wait: {for_s: 1}}
    database: {dsn: "postgresql://desk:${HIDDEN}@db:5432/${NAME:-desk}"}
    notifications: {url: "http://db:5432/$$literal"}
"""
GIVEN = {"GIVEN": "by-the-user", "EMPTY": ""}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The compose file, with a .env beside it."""
    (tmp_path / ".env").write_text("HIDDEN=in-dot-env\nGIVEN=nor-this-one\nEMPTY=not-asked\n")
    (tmp_path / "compose.yml").write_text(COMPOSE)
    return tmp_path / "compose.yml"


def test_origin_is_that_of_the_value_that_counts(path: Path) -> None:
    """The user's environment before .env before the file; what is empty or missing is made up."""
    assert secret_origins(path, GIVEN) == {
        "GIVEN": Origin.ENVIRONMENT,
        "HIDDEN": Origin.DOT_ENV,
        "WRITTEN": Origin.COMPOSE_FILE,
        "NOWHERE": Origin.MADE_UP,
        "EMPTY": Origin.MADE_UP,
    }
    assert set(load_stack(path, GIVEN).secrets.values()) >= {"by-the-user", "in-dot-env", "from-the-file"}


def test_value_is_read_from_its_variables_or_its_own_place(path: Path) -> None:
    """A reader finds it either way; a dollar sign that is doubled names no variable."""
    assert read_from(path, ("x-harness", "adapters", "database", "dsn")) == "HIDDEN, NAME"
    assert read_from(path, ("x-harness", "adapters", "notifications", "url")).endswith(
        "compose.yml:10: x-harness.adapters.notifications.url"
    )
