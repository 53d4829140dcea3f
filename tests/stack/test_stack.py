"""The compose file: what is read from it, and how errors in it are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import StackError, UnsafeTarget
from harness.stack.addressing import Places, fill, placeholder_ports, rewrite_environment
from harness.stack.link import Link, matches, parse_link
from harness.stack.stack import Stack, load_stack

Load = Callable[..., Stack]


def test_stack_of_the_project_loads() -> None:
    """The project's own compose file describes a stack."""
    stack = load_stack(Path(__file__).parents[2] / "docker-compose.test.yml", {})
    assert stack.link("workflow -> backend") == Link("workflow", "backend", 8000)
    assert {"healthy", "backend-down", "gateway-lost"} == set(stack.scenarios)


def test_stack_reads_services_and_links(small: Load) -> None:
    """Services, dependencies and links are as the file has them."""
    stack = small()
    assert list(stack.services) == ["server", "client"]
    assert stack.services["client"].depends_on == {"server": False}
    assert stack.links == (Link("client", "server", 8000),)


def test_stack_makes_up_secrets_that_are_not_given(small: Load) -> None:
    """A secret without a value gets one of this session, wherever the file uses it; a given one is kept."""
    stack = small()
    assert len(stack.secrets) == 1
    assert stack.adapters.airflow is not None
    assert stack.services["server"].environment["TOKEN"] == stack.secrets["TOKEN"] == stack.adapters.airflow.password
    assert small(TOKEN="given").secrets == {"TOKEN": "given"}  # noqa: S106 - no secret


@pytest.mark.parametrize(
    ("replacement", "told"),
    [
        (("depends_on: [server]", "depend_on: [server]"), "compose.yml:12: services.client.depend_on: unknown key; did you mean 'depends_on'?"),
        (("- client -> server:8000", "- client => server:8000"), "compose.yml:17: x-harness.links.0: a link is written"),
        (("- client -> server:8000", "- cliant -> server:8000"), "'cliant' is not a service; there are: server, client"),
        (("depends_on: [server]", "depends_on: [sarver]"), "sarver: is not a service of this file"),
        (('ready: {http: "http://server:8000/"}', "ready_within_s: 0"), "services.server.x-harness.ready_within_s: input should be greater than 0"),
        (("${TOKEN:-none}", "$ TOKEN"), "a lone '$'"),
        (("${TOKEN:-none}", "${OTHER:?say which}"), "the variable OTHER is required: say which"),
        (("services:", "services: ["), "is not valid YAML"),
    ],
)  # fmt: skip
def test_stack_error_names_file_line_and_key(small: Load, replacement: tuple[str, str], told: str) -> None:
    """Anything wrong is told in one line that names the place and what is allowed."""
    with pytest.raises(StackError) as caught:
        small(replacement)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stack_that_is_missing_is_told(tmp_path: Path) -> None:
    """A file that is not there is an error of its own."""
    with pytest.raises(StackError, match="cannot be read: No such file"):
        load_stack(tmp_path / "none.yml", {})


@pytest.mark.parametrize(
    "replacement",
    [
        ('SERVER_PORT: "8000"', 'IBKR_PORT: "4001"'),
        ('SERVER_PORT: "8000"', 'TWS_ADDRESS: "127.0.0.1:7496"'),
        ('SERVER_PORT: "8000"', 'IBKR_ACCOUNT: "U1234567"'),
        ("- client -> server:8000", "- client -> server:7496"),
        ("[python, -m, http.server,", '[python, -m, http.server, --port, "4001",'),
        ("[python, -m, http.server,", "[python, -m, http.server, --account, U7654321,"),
    ],
)
def test_stack_with_a_live_target_is_refused(small: Load, replacement: tuple[str, str]) -> None:
    """A live port or account, wherever it stands, is refused before anything starts."""
    with pytest.raises(UnsafeTarget, match="only stand-ins and paper accounts") as caught:
        small(replacement)
    assert caught.value.exit_code == 2


def test_stack_with_a_paper_account_is_accepted(small: Load) -> None:
    """Paper accounts and paper ports are what drills are for."""
    small(('SERVER_PORT: "8000"', 'IBKR_ACCOUNT: "DU1234567"'))
    small(('SERVER_PORT: "8000"', 'IBKR_PORT: "4002"'))


def test_link_that_is_unknown_lists_those_there_are(small: Load) -> None:
    """An unknown link is told with all that the stack has."""
    with pytest.raises(StackError, match="is not a link of the stack; there are: 'client -> server'"):
        small().link("client -> nothing")


def test_link_matches_with_and_without_port() -> None:
    """A scenario may leave the port out, but not get it wrong."""
    link = parse_link("a -> b:80")
    assert matches("a->b", link)
    assert matches("a -> b:80", link)
    assert not matches("a -> b:81", link)
    assert not matches("b -> a", link)


def test_rewrite_puts_links_in_the_place_of_names() -> None:
    """Addresses inside values and host-port pairs become those of the link; similar names are left alone."""
    environment = {
        "URL": "http://db:5432/x?y=db-db:5432",
        "DB_HOST": "db",
        "DB_PORT": "5432",
        "OTHER_HOST": "db",
        "NAME": "mydb:5432",
    }
    found = rewrite_environment(environment, frozenset({"db"}), lambda _name, _port: ("127.0.0.1", 20001))
    assert found == {
        "URL": "http://127.0.0.1:20001/x?y=db-db:5432",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "20001",
        "OTHER_HOST": "db",
        "NAME": "mydb:5432",
    }


def test_placeholders_are_filled() -> None:
    """Ports, directories and volumes take the place of their placeholders; other braces stay."""
    places = Places(ports={80: 20080}, data="/d", volumes="/v", project="/p", template="/t")
    text = "{port:80} {data}/x {volume:shared}/y {project} {template} {other} ${HOME}"
    assert fill(text, places) == "20080 /d/x /v/shared/y /p /t {other} ${HOME}"
    assert placeholder_ports(("{port:80}", "--x={port:81}", "{port:80}")) == (80, 81)
