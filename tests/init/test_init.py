"""`harness init`: what it writes loads as it is, and what it did not make it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.init import init
from harness.errors import StackError, UsageError
from harness.scenario.loading import list_scenarios, load_scenario
from harness.stack.compose import DoneProbe
from harness.stack.stack import load_stack
from tests.init.proposing import proposed

FILE = """\
name: shop
x-anything: &log {driver: json-file}
services:
  web:
    image: nginx
    logging: *log
    ports: ["8080:80"]
    environment: ["UPSTREAM=http://shop.api_v2:8000"]
  shop.api_v2:
    build: .
    ports: ["8000"]
    environment: {A: "db:5432", B: "db:5433", "N": "yes"}
    networks: [back]
  db:
    image: postgres
    environment: {POSTGRES_PASSWORD: "p#s: 'w'"}
  mailer: {image: mailer, profiles: [mail]}
networks: {back: {}}
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """A compose file of another project."""
    path = tmp_path / "docker-compose.yml"
    path.write_text(FILE)
    return path


def test_init_writes_what_loads_as_it_is(compose: Path) -> None:
    """The overlay is a stack, and every scenario beside it fits it."""
    assert init(compose, None, scenarios=True, force=False) == 0
    stack = load_stack(compose.with_name("docker-compose.harness.yml"), {})
    assert [str(link) for link in stack.links] == [
        "web -> shop.api_v2:8000",
        "shop.api_v2 -> db:5432",
        "shop.api_v2 -> db:5433",
    ]
    assert stack.link_probes == {("shop.api_v2", 8000): "http", ("db", 5432): "postgres"}
    assert stack.adapters.database is not None
    assert not stack.adapters.database.empty
    assert list_scenarios(compose.parent / "scenarios") == tuple(sorted(stack.scenarios))
    for name in stack.scenarios:
        load_scenario(name, compose.parent / "scenarios", stack)
    assert {"healthy", "shop-api-v2-db-5433-blackhole", "web-shop-api-v2-refused"} < set(stack.scenarios)


def test_init_leaves_the_compose_file_alone(compose: Path) -> None:
    """The user's file is the same afterwards, byte for byte."""
    init(compose, None, scenarios=True, force=False)
    assert compose.read_text() == FILE
    assert sorted(path.name for path in compose.parent.iterdir()) == [
        "docker-compose.harness.yml",
        "docker-compose.yml",
        "scenarios",
    ]


def test_init_overwrites_only_when_told_to(compose: Path) -> None:
    """An overlay that the user has edited survives a second call."""
    init(compose, None, scenarios=False, force=False)
    overlay = compose.with_name("docker-compose.harness.yml")
    overlay.write_text("edited")
    with pytest.raises(UsageError, match=r"docker-compose.harness.yml is there already: --force overwrites it"):
        init(compose, None, scenarios=False, force=False)
    assert overlay.read_text() == "edited"
    init(compose, None, scenarios=False, force=True)
    assert overlay.read_text() != "edited"


def test_init_of_a_subset_drills_only_that(compose: Path) -> None:
    """Services that were not named are neither linked nor started; one that is named is, with any profiles."""
    init(compose, "shop.api_v2, db,mailer", scenarios=False, force=False)
    stack = load_stack(compose.with_name("docker-compose.harness.yml"), {})
    assert list(stack.services) == ["shop.api_v2", "db", "mailer"]
    assert {link.client for link in stack.links} == {"shop.api_v2"}
    with pytest.raises(StackError, match=r"there is no service 'shop'; there are: web, shop.api_v2, db, mailer"):
        init(compose, "shop", scenarios=False, force=True)


def test_init_tells_what_it_found_and_what_it_did_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each link with its place, each service of which nothing is known, and no password."""
    (tmp_path / "compose.yaml").write_text(FILE.replace(", profiles: [mail]", ""))
    init(tmp_path / "compose.yaml", None, scenarios=False, force=False)
    told = capsys.readouterr().out
    assert "web -> shop.api_v2:8000   (environment: UPSTREAM)" in told
    assert "not found  anything that mailer connects to, or that connects to it" in told
    assert "not found  when mailer is ready" in told
    assert "postgres:…@db:5432" in told
    assert "p%23s" not in told


def test_init_knows_a_job_by_who_waits_for_its_end(tmp_path: Path) -> None:
    """A migration that has to be done before a service starts is ready once it has ended well."""
    text = """\
services:
  api: {image: api, depends_on: {migrate: {condition: service_completed_successfully}}}
  migrate: {image: api}
"""
    init(proposed(tmp_path, text).compose, None, scenarios=False, force=False)
    stack = load_stack(tmp_path / "docker-compose.harness.yml", {})
    assert stack.services["migrate"].part.ready == DoneProbe(done=True)


def test_init_without_any_link_says_so(tmp_path: Path) -> None:
    """A file that tells of no connection still gives an overlay that loads, in which the user writes them."""
    proposal = proposed(tmp_path, "services:\n  alone: {image: it}\n")
    assert proposal.links == ()
    init(proposal.compose, None, scenarios=False, force=False)
    assert load_stack(tmp_path / "docker-compose.harness.yml", {}).links == ()


def test_init_of_a_file_that_can_be_drilled_already(tmp_path: Path) -> None:
    """A compose file with an x-harness of its own needs no second one."""
    (tmp_path / "compose.yml").write_text("services:\n  it: {image: it}\nx-harness: {links: []}\n")
    with pytest.raises(StackError, match=r"compose.yml:3: x-harness: is there already, so it is drilled with --stack"):
        init(tmp_path / "compose.yml", None, scenarios=False, force=False)


def test_init_refuses_what_a_drill_cannot_honour(tmp_path: Path) -> None:
    """What would let a service reach around its proxies is told before anything is written."""
    (tmp_path / "compose.yml").write_text("services:\n  it: {image: it, network_mode: host}\n")
    with pytest.raises(StackError, match=r"services.it.network_mode: is not supported"):
        init(tmp_path / "compose.yml", None, scenarios=False, force=False)
    assert not (tmp_path / "compose.harness.yml").exists()
