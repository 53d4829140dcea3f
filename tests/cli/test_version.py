"""``harness --version`` names every program that a drill rests on, also where one is missing."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli import version
from harness.cli.version import versions

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 60


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH, an empty cache, and no engine where one is looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARNESS_TOXIPROXY", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    return tmp_path


def said(home: Path) -> dict[str, str]:
    """What is said of each program."""
    return dict(versions(home / "docker-compose.test.yml"))


def test_version_of_a_bare_machine_is_told_all_the_same(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named as missing; nothing breaks off."""
    monkeypatch.setattr(version, "_AIRFLOW", "no-such-airflow")
    found = said(bare)
    assert list(found) == ["harness", "Python", "Airflow", "Toxiproxy", "engine"]
    assert found["Python"] == platform.python_version()
    assert found["Airflow"] == "not installed"
    assert found["Toxiproxy"].startswith("not installed")
    assert found["engine"].startswith(f"none: no Docker engine answers (unix://{bare}/docker.sock: no such file")


def test_version_of_toxiproxy_is_that_of_the_one_that_drills_use(bare: Path) -> None:
    """It is asked itself; it stands with its path."""
    server = bare / "toxiproxy-server"
    server.write_text("#!/bin/sh\necho toxiproxy-server version 2.9.0\n")
    server.chmod(0o755)
    assert said(bare)["Toxiproxy"] == f"2.9.0 ({server})"


def test_version_with_a_wrong_toxiproxy_says_what_is_wrong(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a drill would end with is said in its place."""
    monkeypatch.setenv("HARNESS_TOXIPROXY", "/bin/ls")
    assert said(bare)["Toxiproxy"].startswith("none: HARNESS_TOXIPROXY should name a Toxiproxy server 2.x")


def test_version_does_not_wait_for_an_engine_that_hangs(bare: Path) -> None:
    """A socket at which nothing is said counts as none, soon."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(f"{bare}/docker.sock")
        silent.listen()
        began_s = time.monotonic()
        assert said(bare)["engine"].startswith("none: ")
        assert time.monotonic() - began_s < 20


@pytest.mark.docker
def test_version_of_the_engine_is_its_own_word(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind, version and address."""
    monkeypatch.delenv("DOCKER_HOST")
    kind, number, address = said(bare)["engine"].split()
    assert kind in {"Docker", "Podman"}
    assert number[0].isdigit()
    assert "://" in address


def test_version_is_an_option_of_the_command(bare: Path) -> None:
    """One line a program, and exit code 0."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--version"],
        cwd=bare,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "harness",
        "Python",
        "Airflow",
        "Toxiproxy",
        "engine",
    ]
