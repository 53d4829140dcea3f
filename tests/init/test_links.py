"""Links that a foreign compose file tells of, and those that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.init.proposing import proposed

FILE = """\
services:
  api:
    image: api
    COMMAND
    environment:
      SETTING
    depends_on: [WAITS_FOR]
  db: {image: "registry.example/library/postgres:18-alpine"}
  cache: {image: "redis:8", expose: ["6380"]}
  db-admin: {image: admin, ports: ["127.0.0.1:8081:8080"]}
"""


def links(
    home: Path, setting: str = "X: y", command: str = "", waits_for: str = ""
) -> list[tuple[str, str, str | None]]:
    """The links that are found, with the place and the protocol."""
    text = FILE.replace("SETTING", setting).replace("COMMAND", command).replace("WAITS_FOR", waits_for)
    found = proposed(home, text).links
    assert all(each.link.client == "api" for each in found)
    return [(f"{each.link.server}:{each.link.port}", each.where, each.protocol) for each in found]


@pytest.mark.parametrize(
    ("setting", "link", "protocol"),
    [
        ("URL: http://db-admin:8080/x", "db-admin:8080", "http"),
        ("URL: http://db-admin/x", "db-admin:80", "http"),
        ("URL: https://db-admin/x", "db-admin:443", None),
        ('URL: "postgres://me:pa@ss@db:5433/x"', "db:5433", "postgres"),
        ("URL: postgresql+asyncpg://me@db/x", "db:5432", "postgres"),
        ("URL: redis://cache/0", "cache:6379", None),
        ("URL: redis://:secret@cache:6380", "cache:6380", None),
        ("ADDRESS: cache:6380", "cache:6380", None),
        ("ADDRESSES: other:1,cache:6380", "cache:6380", None),
        ("URL: jdbc:postgresql://db:5432/x", "db:5432", "postgres"),
    ],
)
def test_link_is_found_in_an_address(tmp_path: Path, setting: str, link: str, protocol: str | None) -> None:
    """An address with a port, or with a scheme that has one of its own."""
    key = setting.partition(":")[0]
    assert links(tmp_path, setting) == [(link, f"environment: {key}", protocol)]


def test_link_is_found_in_a_pair_of_host_and_port(tmp_path: Path) -> None:
    """Two variables that belong together are one link."""
    found = links(tmp_path, 'PGHOST: db\n      PGPORT: "5432"')
    assert found == [("db:5432", "environment: PGHOST, PGPORT", "postgres")]


def test_link_of_a_bare_name_goes_to_the_port_that_is_known(tmp_path: Path) -> None:
    """A name alone means the port that the service exposes, or that its image is known for."""
    assert links(tmp_path, "CACHE_HOST: cache") == [
        ("cache:6380", "environment: CACHE_HOST, and port 6380 of cache", None)
    ]
    assert links(tmp_path, "DB: db") == [("db:5432", "environment: DB, and port 5432 of db", "postgres")]


def test_link_is_found_in_a_command(tmp_path: Path) -> None:
    """What a service is told on its command line counts as well."""
    assert links(tmp_path, command="command: serve --db db:5432") == [("db:5432", "command", "postgres")]


def test_link_of_a_dependency_is_a_guess(tmp_path: Path) -> None:
    """Waiting for a service hints at a link to it, where nothing better tells of one."""
    assert links(tmp_path, waits_for="db") == [("db:5432", "depends_on, and port 5432 of db: a guess", "postgres")]
    told = links(tmp_path, "URL: postgres://db:5433/x", waits_for="db")
    assert told == [("db:5433", "environment: URL", "postgres")]


@pytest.mark.parametrize(
    "setting",
    [
        "URL: http://mydb:5432/",
        "URL: http://example.com/db:80",
        "NAME: db-x:1",
        "ME: http://api:8000",
        "VERSION: '18'",
        "MAIL: me@cache",
    ],
)
def test_link_is_not_found_where_there_is_none(tmp_path: Path, setting: str) -> None:
    """Other hosts, parts of other words, and the service itself are no links."""
    assert links(tmp_path, setting) == []


def test_link_to_a_job_that_ends_is_none(tmp_path: Path) -> None:
    """A migration that has to be done first is waited for, not connected to."""
    text = """\
services:
  api: {image: api, depends_on: {migrate: {condition: service_completed_successfully}}}
  migrate: {image: api, ports: ["9000:9000"]}
"""
    assert proposed(tmp_path, text).links == ()
