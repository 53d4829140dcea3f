"""A small stack of containers: over its links, around them, and through the deaths of its parts."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sys
import termios
import time
from collections.abc import Callable

import pytest

from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome, ProxyReplaced, ServiceEnded
from harness.runtime.service import ServiceState
from harness.runtime.session.labels import LINK, SESSION
from harness.runtime.toxiproxy.link_probe import GREETINGS, send_probe
from harness.runtime.toxiproxy.link_proxy import LinkProxy, ReplacedBecause
from harness.runtime.waiting import until
from tests.runtime.docker.small_stack import PORTS, Small

pytestmark = pytest.mark.docker

HTTP = GREETINGS["http"]


def proxy(small: Small, client: str) -> LinkProxy:
    """The proxy of a client's link to the server."""
    return small.running.proxy(small.running.stack.link(f"{client} -> server"))


def test_client_reaches_the_server_through_its_proxy(small: Small) -> None:
    """A client's call by the server's plain name is answered, and the link's proxy knows it for the system's."""
    began_s = time.monotonic()
    assert small.ask("client", "fetch/server:8000") == "hello"
    link = proxy(small, "client")
    small.run(until(lambda: link.system_connections(began_s), what="the connection in the log", deadline_s=5))
    assert len(link.system_connections(began_s)) == 1
    assert proxy(small, "other").system_connections(began_s) == ()


def test_link_probe_is_not_taken_for_the_system_by_its_address(small: Small) -> None:
    """What the harness sends over a link reaches the server, and is not counted as a client's."""
    began_s = time.monotonic()
    link = proxy(small, "client")
    assert small.run(link.probe(HTTP)).outcome is ProbeOutcome.ANSWERED
    small.run(until(lambda: link._greeted(began_s), what="the link probe in the log", deadline_s=5))
    assert link.system_connections(began_s) == ()


def test_fault_on_one_link_spares_the_other(small: Small) -> None:
    """A link that is cut refuses its client and the harness, while another client of the server notices nothing."""
    link = proxy(small, "client")
    small.run(link.disable())
    assert small.ask("client", "fetch/server:8000") == "ConnectionRefusedError"
    assert small.run(link.probe(HTTP)).outcome is ProbeOutcome.REFUSED
    assert small.ask("other", "fetch/server:8000") == "hello"
    small.run(link.heal())
    assert small.ask("client", "fetch/server:8000") == "hello"


def test_no_name_leads_around_the_proxy(small: Small) -> None:
    """What a client calls the server is the proxy; the server's own address is in no network of the client's."""
    running = small.running.service("server").container()
    assert running is not None
    running.reload()
    own = {network["IPAddress"] for network in running.attrs["NetworkSettings"]["Networks"].values()}
    assert small.ask("client", "resolve/server") not in {*own, "unknown"}
    assert small.ask("client", "resolve/server") != small.ask("other", "resolve/server")
    assert small.ask("client", "resolve/server.direct") == "unknown"
    assert all(small.ask("client", f"fetch/{address}:8000") != "hello" for address in own)
    # A server may call itself by its own name, as with Compose.
    assert small.ask("server", "resolve/server") in own


def test_name_of_no_service_is_unknown_at_once(small: Small) -> None:
    """No server outside is asked: a client whose proxy is gone hears so, and the engine waits for no answer in its place."""
    client = small.running.service("client").container()
    assert client is not None
    looked = client.exec_run(["timeout", "3", "python3", "-c", "import socket; socket.gethostbyname('absent.invalid')"])
    assert (looked.exit_code, b"gaierror" in looked.output) == (1, True), looked


def test_direct_address_goes_around_the_proxy(small: Small) -> None:
    """The harness reaches the server while its links are cut, at the address that a text of the file is given."""
    small.run(proxy(small, "client").disable())
    direct = small.running.address("server", 8000)
    assert small.running.rewrite_addresses("http://server:8000/x") == f"http://127.0.0.1:{direct[1]}/x"
    assert small.run(send_probe(direct, HTTP)).outcome is ProbeOutcome.ANSWERED
    small.run(proxy(small, "client").heal())


def test_published_ports_listen_on_loopback_alone(small: Small) -> None:
    """Nothing that the stack publishes can be reached from another machine."""
    containers = small.engine.client.containers.list(filters={"label": f"harness.session={small.running.session_id}"})
    bindings = [
        binding["HostIp"]
        for container in containers
        for found in (container.attrs["NetworkSettings"]["Ports"] or {}).values()
        for binding in found or []
    ]
    assert len(bindings) >= len(PORTS)
    assert set(bindings) == {"127.0.0.1"}


def test_service_that_ends_is_told_and_comes_back(small: Small) -> None:
    """A service that ends by itself is told with code and last words; a restart has it back at the same address."""
    heard: list[object] = []
    small.running.notices.listener = heard.append
    address = small.running.address("server", 8000)
    with pytest.raises(OSError, match=r"."):
        small.ask("server", "die")
    small.run(until(lambda: bool(heard), what="the end of the server to be told", deadline_s=10))
    (ended,) = heard
    assert isinstance(ended, ServiceEnded)
    assert (ended.service, ended.returncode) == ("server", 7)
    assert ended.last_output.splitlines()[-1] == "told to die"
    assert small.run(small.running.service("server").state()) is ServiceState.ENDED
    small.run(small.running.service("server").start())
    assert small.running.address("server", 8000) == address
    assert small.ask("client", "fetch/server:8000") == "hello"
    small.running.notices.listener = None


def test_log_is_kept_from_the_first_byte_over_restarts(small: Small) -> None:
    """A service's log begins with what it said first, and each start adds to it."""
    log = small.running.logs.of_service("other")
    before = log.read_text().splitlines()
    assert before[0] == "serving"
    small.run(small.running.restart("other"))
    assert log.read_text().splitlines() == [*before, "serving"]
    assert {"other.log", "toxiproxy.client--server-8000.log"} <= set(small.running.logs.files())


def test_killed_service_is_refused_and_keeps_its_addresses(small: Small) -> None:
    """A kill that was asked for is no news; the port is refused meanwhile, and the same afterwards."""
    heard: list[object] = []
    small.running.notices.listener = heard.append
    server = small.running.service("server")
    small.run(server.kill())
    assert small.run(server.state()) is ServiceState.ENDED
    assert small.run(send_probe(small.running.address("server", 8000), HTTP)).outcome is ProbeOutcome.REFUSED
    small.run(server.start())
    assert small.ask("client", "fetch/server:8000") == "hello"
    assert heard == []
    small.running.notices.listener = None


def test_paused_service_is_silent_until_it_goes_on(small: Small) -> None:
    """A frozen service answers nothing and says that it is frozen; resumed, it answers."""
    server = small.running.service("server")
    small.run(server.pause())
    assert small.run(server.state()) is ServiceState.PAUSED
    assert small.run(send_probe(small.running.address("server", 8000), HTTP, 0.5)).outcome is ProbeOutcome.SILENT
    small.run(server.resume())
    assert small.run(send_probe(small.running.address("server", 8000), HTTP, 5)).outcome is ProbeOutcome.ANSWERED


def test_state_of_runs_is_forgotten(small: Small) -> None:
    """A reset empties what is declared, hidden files too, and leaves what lies beside it."""
    for path in ("state/runs/1/result", "state/runs/.hidden", "state/kept"):
        small.ask("server", f"write/{path}")
    small.run(small.running.forget_state())
    assert small.ask("server", "list/state") == "kept runs"


def test_killed_toxiproxy_is_replaced_in_its_place(small: Small) -> None:
    """A link's Toxiproxy that dies is started again at the same addresses, without toxics, and that is told."""
    heard: list[object] = []
    small.running.notices.listener = heard.append
    link = proxy(small, "client")
    small.run(link.add_toxic(Toxic("timeout", "upstream", {"timeout": 0})))
    labels = [f"{SESSION}={small.running.session_id}", f"{LINK}={link.link}"]
    (container,) = small.engine.client.containers.list(filters={"label": labels})
    small.run(asyncio.to_thread(container.kill))
    small.run(until(lambda: bool(heard), what="the replacement", deadline_s=10))
    (replaced,) = heard
    assert isinstance(replaced, ProxyReplaced)
    assert (replaced.link, replaced.expected) == ("client -> server:8000", False)
    assert small.ask("client", "fetch/server:8000") == "hello"
    small.running.notices.listener = None


def test_hung_toxiproxy_is_replaced_and_no_other_link_notices(small: Small) -> None:
    """A link whose control API hangs under an unread answer is healed by a new server; the other link goes on."""
    link = proxy(small, "client")
    small.run(link.add_toxic(Toxic("latency", "downstream", {"latency": 500})))
    with socket.create_connection(link.address) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(b"GET /large HTTP/1.0\r\n\r\n")
        small.run(until(stuck(reader), what="an answer that is stuck", deadline_s=20, poll_s=0.2))
        healing = small.run(heal_beside(small, link))
    assert healing is ReplacedBecause.HUNG
    assert small.ask("client", "fetch/server:8000") == "hello"


def stuck(reader: socket.socket) -> Callable[[], bool]:
    """Whether an answer has filled every buffer on its way, so that no more of it comes."""
    waiting_bytes = [0]

    def is_stuck() -> bool:
        waiting_bytes.append(int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, bytes(4)), sys.byteorder))
        return waiting_bytes[-1] == waiting_bytes[-2] > 0

    return is_stuck


async def heal_beside(small: Small, link: LinkProxy) -> ReplacedBecause | None:
    """Heal a link, and see meanwhile that the other one answers."""
    healing = asyncio.create_task(link.heal())
    seen = await proxy(small, "other").probe(HTTP)
    assert seen.outcome is ProbeOutcome.ANSWERED
    return (await healing).replaced
