"""Networks and published ports, from the description alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StackError
from harness.runtime.docker.plan import plan_networks
from harness.runtime.docker.published import published_ports
from tests.runtime.docker.small_stack import small_stack

PUBLISHED = frozenset({"server", "client", "other"})


def test_link_has_a_network_in_which_the_name_is_its_proxys(tmp_path: Path) -> None:
    """The client of a link shares a network without a way out with the link's proxy, which bears the server's name."""
    stack = small_stack(tmp_path)
    link = stack.link("client -> server")
    lan = plan_networks(stack, PUBLISHED).lans["client--server"]
    assert lan.internal
    assert lan.members == {"client": [], link: ["server"]}


def test_name_of_a_container_is_its_services(tmp_path: Path) -> None:
    """A client that calls a server by its container's name meets the link's proxy, as it does by the service's name."""
    stack = small_stack(
        tmp_path,
        ("environment: {WORD: hello}", "environment: {WORD: hello}\n    container_name: my-prod-server"),
        ('{http: "http://server:8000/"}', '{http: "http://my-prod-server:8000/"}'),
    )
    link = stack.link("client -> server")
    plan = plan_networks(stack, PUBLISHED)
    assert plan.lans["client--server"].members[link] == ["server", "my-prod-server"]
    assert plan.lans["at-server"].members["server"] == ["server", "my-prod-server", "server.direct"]
    assert ("my-prod-server", 8000) not in published_ports(stack)


def test_server_meets_its_proxies_alone(tmp_path: Path) -> None:
    """A server's own network holds it and the proxies that lead to it; its ports are published there."""
    stack = small_stack(tmp_path)
    plan = plan_networks(stack, PUBLISHED)
    assert set(plan.lans["at-server"].members) == {"server", *stack.links}
    assert [lan.name for lan in plan.of("server")] == ["at-server"]
    assert [lan.name for lan in plan.of("client")] == ["at-client", "client--server"]


def test_dependency_without_a_link_goes_direct(tmp_path: Path) -> None:
    """What depends on a server without a link to it, as a migration does, is in the server's own network."""
    stack = small_stack(tmp_path, ("links: [client -> server:8000, other", "links: [other"))
    plan = plan_networks(stack, PUBLISHED)
    assert "client" in plan.lans["at-server"].members
    assert plan.lans["at-server"].members["server"] == ["server", "server.direct"]


def test_two_links_to_one_server_are_refused(tmp_path: Path) -> None:
    """Two ports of one server cannot be told apart by a name, which is said before anything starts."""
    stack = small_stack(tmp_path, ("other -> server:8000", "client -> server:9000"))
    with pytest.raises(StackError, match=r"there are two links client -> server"):
        plan_networks(stack, PUBLISHED)


def test_ports_that_are_asked_are_published_once(tmp_path: Path) -> None:
    """Links, link_probes, probes and adapters say which ports the harness must reach."""
    stack = small_stack(tmp_path, ('{airflow: {url: "http://server:8000"', '{airflow: {url: "http://other:9000"'))
    assert set(published_ports(stack)) == {("server", 8000), ("client", 8001), ("other", 8002), ("other", 9000)}
