"""Places of this machine, jobs and words of clients: what a proposal says of them, and that it loads so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli.init import init
from harness.init.jobs import find_jobs
from harness.stack.compose import DoneProbe
from harness.stack.host_paths import Instead
from harness.stack.probes import LogPromise
from harness.stack.stack import load_stack
from tests.init.proposing import proposed

FILE = """\
services:
  web:
    image: web
    container_name: shop-web
    ports: ["80:80"]
    volumes: ["./app:/app", "./data:/var/lib/web", "./web.conf:/etc/web.conf", "./static:/static:ro", "cache:/cache"]
  watcher:
    image: watcher
    environment: {TARGET: "http://shop-web/health"}
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    depends_on: [web, make-bucket]
  make-bucket:
    image: mc
    command: ["mc", "mb", "store/shop"]
    depends_on: [web]
volumes: {cache: {}}
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """A compose file with places of this machine beside it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "web.py").touch()
    (tmp_path / "web.conf").touch()
    path = tmp_path / "docker-compose.yml"
    path.write_text(FILE)
    return path


def test_init_proposes_something_in_the_place_of_the_hosts_own(
    compose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code and settings are only read, data goes to a volume, the engine's socket stays out; each is told."""
    init(compose, None, scenarios=False, force=False)
    text = compose.with_name("docker-compose.harness.yml").read_text()
    told = capsys.readouterr().out
    for path, instead in {
        "./app": Instead.READ_ONLY,
        "./data": Instead.VOLUME,
        "./web.conf": Instead.READ_ONLY,
        "/var/run/docker.sock": Instead.LEFT_OUT,
    }.items():
        assert f'"{path}": {instead}  # ' in text
        assert f"host path  {path}: {instead} in a drill" in told
    assert "./static" not in text
    assert load_stack(compose.with_name("docker-compose.harness.yml"), {}).unsafe_mounts == ()


def test_init_finds_a_link_by_the_name_of_a_container(compose: Path) -> None:
    """A container's name leads to its service, and the link is the service's."""
    init(compose, None, scenarios=False, force=False)
    stack = load_stack(compose.with_name("docker-compose.harness.yml"), {})
    assert "watcher -> web:80" in [str(link) for link in stack.links]
    assert stack.names_of("web") == ["web", "shop-web"]


def test_init_takes_what_does_something_once_for_a_job(compose: Path) -> None:
    """A helper that is waited for, and whose name or command says so, is awaited, and may end."""
    init(compose, None, scenarios=False, force=False)
    stack = load_stack(compose.with_name("docker-compose.harness.yml"), {})
    assert stack.services["make-bucket"].part.ready == DoneProbe(done=True)
    assert stack.jobs == {"make-bucket"}


@pytest.mark.parametrize(
    "more",
    ["restart: always", 'ports: ["9000"]', "healthcheck: {test: [CMD, ls]}", "command: [serve]\n    hostname: x"],
)
def test_service_that_may_well_stay_is_no_job(tmp_path: Path, more: str) -> None:
    """A guess is made only where nothing speaks against it."""
    name = "worker" if "serve" in more else "init-worker"
    text = f"services:\n  it: {{image: it, depends_on: [{name}]}}\n  {name}:\n    image: it\n    {more}\n"
    assert find_jobs(proposed(tmp_path, text).services) == {}


def test_init_proposes_that_each_client_says_its_words_again(compose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its comment signs taken away, the proposal promises that the client goes on after the heal."""
    init(compose, None, scenarios=False, force=False)
    overlay = compose.with_name("docker-compose.harness.yml")
    assert "not known  what watcher says while at work" in capsys.readouterr().out
    text = overlay.read_text()
    assert load_stack(overlay, {}).adapters.probes == {}
    text = text.replace("    # probes:", "    probes:")
    overlay.write_text(re.sub(r"^    #   (watcher-goes-on: .*)WORDS", r"      \1polled", text, flags=re.MULTILINE))
    promise = load_stack(overlay, {}).adapters.probes["watcher-goes-on"]
    assert promise == LogPromise(log="watcher", matches="polled", at_least=1, during="after")
