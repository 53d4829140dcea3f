"""Readiness that a foreign compose file tells of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.init.proposing import proposed


def probe_of(home: Path, **keys: object) -> tuple[str, str] | None:
    """The probe of a service with these keys."""
    text = "services:\n  it: " + json.dumps({"image": "it", **keys}) + "\n"
    found = proposed(home, text).probes.get("it")
    return None if found is None else (found.kind, found.target)


@pytest.mark.parametrize(
    ("test", "target"),
    [
        (["CMD", "curl", "-f", "http://localhost:8000/healthz"], "http://it:8000/healthz"),
        ("wget -q -O- http://127.0.0.1/ || exit 1", "http://it:80/"),
        (["CMD-SHELL", "curl --fail 'http://0.0.0.0:9000/ready?full=1' || exit 1"], "http://it:9000/ready?full=1"),
        (
            ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/up')"],
            "http://it:8000/up",
        ),
    ],
)
def test_readiness_is_read_from_an_http_health_check(tmp_path: Path, test: object, target: str) -> None:
    """A URL that a health check asks of its own host can be asked from outside as well."""
    assert probe_of(tmp_path, healthcheck={"test": test}) == ("http", target)


POSTGRES = {
    "image": "postgres:18",
    "environment": {"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "${PW:-x}", "POSTGRES_DB": "it"},
}


def test_readiness_of_a_postgres_is_a_query(tmp_path: Path) -> None:
    """A Postgres is asked a query, with the password as the file writes it: a variable stays one."""
    wanted = ("sql", "postgresql://me:${PW:-x}@it:5432/it")
    assert probe_of(tmp_path, **POSTGRES) == wanted
    assert probe_of(tmp_path, **POSTGRES, healthcheck={"test": ["CMD", "pg_isready"]}) == wanted


def test_readiness_writes_a_password_as_an_address_has_it(tmp_path: Path) -> None:
    """A password with a character that means something in an address is written so that it does not."""
    postgres = {"image": "postgres", "environment": {"POSTGRES_PASSWORD": "p@s/s"}}
    assert probe_of(tmp_path, **postgres) == ("sql", "postgresql://postgres:p%40s%2Fs@it:5432/postgres")


def test_readiness_does_not_trust_a_variable_with_such_a_password(tmp_path: Path) -> None:
    """What a variable stands for cannot be rewritten: then only the port is tried."""
    postgres = {"image": "postgres", "environment": {"POSTGRES_PASSWORD": "${PW:-p@ss}"}}
    assert probe_of(tmp_path, **postgres) == ("tcp", "it:5432")


def test_readiness_repeats_no_password_of_another_file(tmp_path: Path) -> None:
    """A password that stands in an env_file stays there; then only the port is tried."""
    (tmp_path / "secret.env").write_text("POSTGRES_PASSWORD=hidden\n")
    assert probe_of(tmp_path, image="postgres:18", env_file="secret.env") == ("tcp", "it:5432")


def test_readiness_of_a_port_is_a_connection(tmp_path: Path) -> None:
    """Without a health check, a port that is known is tried."""
    assert probe_of(tmp_path, ports=["80:9000"]) == ("tcp", "it:9000")
    assert probe_of(tmp_path, ports=["80:9000"], healthcheck={"disable": True}) == ("tcp", "it:9000")


def test_readiness_that_only_the_service_can_see_is_left_to_it(tmp_path: Path) -> None:
    """A health check that cannot be made from outside is run as it is, so nothing is proposed in its place."""
    check = {"test": ["CMD", "redis-cli", "ping"]}
    assert probe_of(tmp_path, image="redis", healthcheck=check) is None
    text = f"services:\n  it: {json.dumps({'image': 'redis', 'healthcheck': check})}\n"
    assert proposed(tmp_path, text).unwatched == ()


def test_readiness_of_which_nothing_tells_is_said(tmp_path: Path) -> None:
    """A service without port and health check is named as one of which nothing is known."""
    assert proposed(tmp_path, "services:\n  it: {image: it}\n").unwatched == ("it",)
