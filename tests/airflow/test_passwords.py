"""Who may log in is said by the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.airflow import passwords
from fixtures.airflow.passwords import SettingMissing

_REPOSITORY = Path(__file__).parents[2]


def _environment(file: Path, *, user: str = "admin:admin", password: str = "first") -> dict[str, str]:  # noqa: S107 - a test's
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": user,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "AIRFLOW_ADMIN_PASSWORD": password,
    }


def test_file_is_written_privately_and_renewed(tmp_path: Path) -> None:
    """Each start sets the password of the day, and an earlier file with open rights is replaced."""
    file = tmp_path / "home" / "passwords.json"
    passwords.write(_environment(file))
    file.chmod(0o644)
    passwords.write(_environment(file, password='second "quoted"'))  # noqa: S106 - a test's
    assert json.loads(file.read_text()) == {"admin": 'second "quoted"'}
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("user", ["trader:viewer", "admin", "admin:admin,eve:admin"])
def test_anything_but_one_admin_is_refused(tmp_path: Path, user: str) -> None:
    """Airflow would invent passwords for further users, and print them into the log."""
    with pytest.raises(SettingMissing, match="must name one admin"):
        passwords.write(_environment(tmp_path / "passwords.json", user=user))


def test_missing_password_is_one_line_at_once() -> None:
    """The api-server says what it lacks before it spends seconds on loading Airflow."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ended = subprocess.run(
        [sys.executable, "-m", "fixtures.airflow", "api-server", "--port", "18080"],
        env=environment,
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("fixtures.airflow: the api-server needs AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS, ")
