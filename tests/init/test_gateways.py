"""A real gateway in a foreign compose file: it is known, the stub takes its place, and no live one is ever drilled."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.init import init
from harness.errors import UnsafeTarget
from harness.stack.stack import Stack, load_stack
from tests.init.proposing import proposed

FILE = """\
services:
  ib-gateway:
    image: IMAGE
    restart: always
    environment: {TWS_USERID: joe, TWS_PASSWORD: secret, TRADING_MODE: live}
    volumes: [./settings:/opt/jts]
    ports: ["127.0.0.1:4001:NUMBER"]
  bot:
    image: bot
    environment: {IB_HOST: WHERE, IB_PORT: "NUMBER"}
    depends_on: [ib-gateway]
"""


def written(home: Path, image: str, port: int, host: str = "ib-gateway") -> Path:
    """A compose file of a bot and its gateway."""
    path = home / "docker-compose.yml"
    path.write_text(FILE.replace("IMAGE", image).replace("NUMBER", str(port)).replace("WHERE", host))
    return path


def overlaid(home: Path, image: str, port: int) -> Stack:
    """The stack as `harness init` proposes it."""
    init(written(home, image, port), None, scenarios=True, force=False)
    return load_stack(home / "docker-compose.harness.yml", {})


@pytest.mark.parametrize(
    ("image", "port"),
    [
        ("registry.example/gnzsnz/ib-gateway:stable", 4003),
        ("registry.example/gnzsnz/ib-gateway:stable", 4004),
        ("registry.example/extrange/ibkr", 8888),
        ("registry.example/unusualalpha/ib-gateway:latest", 4001),
        ("waytrade/ib-gateway:981.3j", 4002),
        ("registry.local:5000/our-own", 7496),
        ("our-own", 7497),
    ],
)
def test_gateway_is_replaced_by_the_stub_on_the_port_that_is_asked_for(tmp_path: Path, image: str, port: int) -> None:
    """Known by image, or by name and port; the proposal loads, and nothing of the real gateway is left in it."""
    stack = overlaid(tmp_path, image, port)
    assert [str(link) for link in stack.links] == [f"bot -> ib-gateway:{port}"]
    assert stack.link_probes == {("ib-gateway", port): "tws"}
    gateway = stack.services["ib-gateway"]
    assert (gateway.part.stands_in, gateway.environment, stack.unsafe_mounts) == (True, {}, ())
    assert gateway.container is not None
    assert (gateway.container.image, gateway.container.mounts) == ("trading-ibkr-gateway", ())
    assert gateway.part.run[3:7] == ["--port", f"{{port:{port}}}", "--control", "{port:8003}"]
    assert stack.adapters.gateway is not None
    assert stack.adapters.gateway.service == "ib-gateway"
    assert stack.services["bot"].environment["IB_PORT"] == str(port)


def test_what_is_no_gateway_is_left_alone(tmp_path: Path) -> None:
    """A port alone, or a name alone, makes none."""
    text = "services:\n  api: {image: api, ports: ['4001:4001']}\n  api-gateway: {image: nginx, ports: ['80:80']}\n"
    assert proposed(tmp_path, text).gateway is None


def test_user_is_told_what_takes_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the login of the real one is in no file of ours."""
    overlaid(tmp_path, "registry.example/gnzsnz/ib-gateway:stable", 4003)
    assert "gateway    ib-gateway: the gateway stub in its place, on port 4003" in capsys.readouterr().out
    assert "secret" not in (tmp_path / "docker-compose.harness.yml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # Not the stub, but another real gateway.
        (
            "image: trading-ibkr-gateway",
            "image: registry.example/gnzsnz/ib-gateway:latest",
            "is a real gateway, not the stub",
        ),
        # The stub is no stand-in for this service, whose control port is another's.
        ("http://ib-gateway:8003", "http://bot:8003", "port 4001 is a live trading port"),
        # No link leads the bot to the stub.
        ("  - bot -> ib-gateway:4001", "  - ib-gateway -> bot:80", "port 4001 is a live trading port"),
    ],
)
def test_live_port_without_the_stub_behind_it_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    """What allows a live port is the stub in the place of the service that is asked for, and nothing else."""
    overlaid(tmp_path, "waytrade/ib-gateway", 4001)
    overlay = tmp_path / "docker-compose.harness.yml"
    assert old in overlay.read_text()
    overlay.write_text(overlay.read_text().replace(old, new))
    with pytest.raises(UnsafeTarget, match=told):
        load_stack(overlay, {})


def test_live_gateway_elsewhere_is_refused_beside_the_stub(tmp_path: Path) -> None:
    """A bot that is sent to another machine does not speak to the stub, although a link says so."""
    overlaid(tmp_path, "waytrade/ib-gateway", 4001)
    written(tmp_path, "waytrade/ib-gateway", 4001, host="10.0.0.5")
    with pytest.raises(UnsafeTarget, match="IB_PORT: port 4001 is a live trading port"):
        load_stack(tmp_path / "docker-compose.harness.yml", {})


def test_compose_file_as_it_is_keeps_the_refusal(tmp_path: Path) -> None:
    """Without the overlay's stand-in, x-harness in a compose file opens no live port."""
    path = written(tmp_path, "trading-ibkr-gateway", 4001)
    path.write_text(
        path.read_text()
        .replace("    restart: always\n", "    x-harness: {stands_in: true}\n")
        .replace("    volumes: [./settings:/opt/jts]\n", "")
        + 'x-harness:\n  links: ["bot -> ib-gateway:4001"]\n'
        + '  adapters: {workload: {wait: {for_s: 1}}, gateway: {control: "http://ib-gateway:8003"}}\n'
    )
    with pytest.raises(UnsafeTarget, match="live trading port"):
        load_stack(path, {})
