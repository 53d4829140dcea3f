"""A file beside a user's compose file: what it may say, and how errors in it are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack.compose import HttpProbe
from harness.stack.link import Link
from harness.stack.stack import Stack, load_stack

THEIRS = """\
services:
  db:
    image: postgres:18
    profiles: [data]
  api:
    image: api
    environment: [DB_URL=postgresql://db:5432/x]
    depends_on: [db, queue]
    ports: ["8000:8000"]
  queue:
    image: rabbitmq
"""
OURS = """\
compose: compose.yml
only: [db, api]
x-harness:
  links:
    - api -> db:5432
  adapters: {workload: {wait: {for_s: 1}}}
services:
  api:
    x-harness: {ready: {http: "http://api:8000/"}}
"""
Load = Callable[..., Stack]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load an overlay with some of its text, or of the compose file's, replaced."""

    def load(old: str = "", new: str = "") -> Stack:
        assert old in OURS + THEIRS
        (tmp_path / "compose.yml").write_text(THEIRS.replace(old, new) if old else THEIRS)
        (tmp_path / "harness.yml").write_text(OURS.replace(old, new) if old else OURS)
        return load_stack(tmp_path / "harness.yml", {})

    return load


def test_overlay_lies_over_the_compose_file(load: Load, tmp_path: Path) -> None:
    """Services come from the compose file; links, readiness and their choice from the overlay."""
    stack = load()
    assert list(stack.services) == ["db", "api"]
    assert stack.links == (Link("api", "db", 5432),)
    assert stack.services["api"].part.ready == HttpProbe(http="http://api:8000/")
    assert stack.services["api"].environment == {"DB_URL": "postgresql://db:5432/x"}
    assert stack.path == tmp_path / "harness.yml"


def test_overlay_leaves_out_what_it_does_not_name(load: Load) -> None:
    """A service that is not wanted is not waited for; one that is wanted runs with any profiles."""
    stack = load()
    assert list(stack.services["api"].depends_on) == ["db"]
    assert "queue" in load("only: [db, api]\n", "only: [db, api, queue]\n").services


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("only: [db, api]", "only: [db, app]", "harness.yml:2: only.app: 'app' is not a service of"),
        ("services:\n  api:\n    x-h", "services:\n  app:\n    x-h", "harness.yml:8: services.app: 'app' is not a service of"),
        ("compose: compose.yml", "compose: ../compose.yml", "harness.yml:1: compose: names a file of the same folder"),
        ("compose: compose.yml", "compose: none.yml", "none.yml: cannot be read"),
        ("    x-harness: {ready", "    user: other\n    x-harness: {ready", "harness.yml:9: services.api.user: unknown key"),
        ("- api -> db:5432", "- api => db:5432", "harness.yml:5: x-harness.links.0: a link is written"),
        ("{wait: {for_s: 1}}", "{command: {service: app, run: [x]}}", "harness.yml:6: x-harness.adapters.workload.command.service: 'app' is not a service; there are: db, api"),
        ("{workload: {wait: {for_s: 1}}}", "{workload: {wait: {for_s: 1}}, probes: {p: {log: app, matches: x, at_most: 0}}}", "x-harness.adapters.probes.p.log: 'app' is not a service"),
        ("{workload: {wait: {for_s: 1}}}", "{workload: {wait: {for_s: 1}}, probes: {p: {log: api, matches: x, at_most: 0, under: api -> x}}}", "probes.p.under: 'api -> x' is not a link of the stack; there are: 'api -> db:5432'"),
        ("{workload: {wait: {for_s: 1}}}", "{workload: {wait: {for_s: 1}}, traffic: [{link: db -> api, log: x}]}", "adapters.traffic.0.link: 'db -> api' is not a link of the stack"),
        ('ports: ["8000:8000"]', "port: 8000", "compose.yml:9: services.api.port: unknown key; did you mean 'ports'?"),
        ("workload: {wait: {for_s: 1}}", "workload: {}", "harness.yml:6: x-harness.adapters.workload: a workload is one of"),
    ],
)  # fmt: skip
def test_overlay_error_names_the_right_file(load: Load, old: str, new: str, told: str) -> None:
    """Anything wrong is told with the file and line in which it stands, be it the overlay or the compose file."""
    with pytest.raises(StackError) as caught:
        load(old, new)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stand_in_takes_the_place_of_a_service_whole(load: Load) -> None:
    """Of the compose file's service only its names stay: no setting, no file, no login reaches the stand-in."""
    stack = load("    x-harness: {ready", "    image: stub\n    command: [serve, now]\n    x-harness: {ready")
    api = stack.services["api"]
    assert api.container is not None
    assert (api.container.image, api.container.command) == ("stub", ("serve", "now"))
    assert (api.environment, api.depends_on, api.container.ports) == ({}, {}, ())
    assert api.part.stands_in
    assert api.part.ready == HttpProbe(http="http://api:8000/")
    with pytest.raises(StackError, match="a command is that of an image: name the stand-in's image too"):
        load("    x-harness: {ready", "    command: [serve]\n    x-harness: {ready")
