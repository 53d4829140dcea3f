"""Compose's keys, in every way in which Compose lets them be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack.container import BindMount, Build, Container, Limits, Volume, VolumeMount
from harness.stack.stack import Stack
from harness.stack.units import seconds, size_bytes
from tests.stack.conftest import Load

With = Callable[..., Stack]
_SERVER = '    environment: {TOKEN: "${TOKEN:-none}"}\n'


@pytest.fixture
def keys(small: Load) -> With:
    """The small stack, whose server has further keys."""

    def load(text: str, *more: tuple[str, str], **variables: str) -> Stack:
        lines = "".join(f"    {line}\n" for line in text.splitlines())
        return small((_SERVER, f"{_SERVER}    image: server:1\n{lines}"), *more, **variables)

    return load


def test_service_without_further_keys_is_its_image(keys: With) -> None:
    """What the file does not say is left to the image and the engine."""
    assert keys("").services["server"].container == Container(image="server:1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("command: run --port 80 'a b'", {"command": ("run", "--port", "80", "a b")}),
        ("command: [run, --port, 80]", {"command": ("run", "--port", "80")}),
        ("entrypoint: []", {"entrypoint": ()}),
        ("user: 1000", {"user": "1000"}),
        ("user: app:app", {"user": "app:app"}),
        ("init: true\nread_only: true\nhostname: h", {"init": True, "read_only": True, "hostname": "h"}),
        ("tmpfs: /run", {"tmpfs": {"/run": ""}}),
        ("tmpfs: ['/run:size=64m,mode=1777']", {"tmpfs": {"/run": "size=64m,mode=1777"}}),
        ("mem_limit: 1.5g", {"limits": Limits(memory_bytes=1610612736)}),
        ("mem_limit: 1024", {"limits": Limits(memory_bytes=1024)}),
        ("cpus: 0.5\npids_limit: 10\nshm_size: 1kb", {"limits": Limits(cpus=0.5, pids=10, shm_bytes=1024)}),
        (
            "deploy: {resources: {limits: {cpus: '0.25', memory: 64M, pids: 5}}}",
            {"limits": Limits(cpus=0.25, memory_bytes=67108864, pids=5)},
        ),
        (
            "ports: [8000, '80:8001', '127.0.0.1:1:8002/tcp', '9000-9001:8010-8011']",
            {"ports": (8000, 8001, 8002, 8010, 8011)},
        ),
        (
            "ports: [{target: 8000, published: 80, host_ip: 127.0.0.1}]\nexpose: ['8000', '9000']",
            {"ports": (8000, 9000)},
        ),
        ("ports: ['127.0.0.1::8000']", {"ports": (8000,)}),
        ("stop_grace_period: 1m30s\nstop_signal: SIGINT", {"stop_grace_s": 90.0, "stop_signal": "SIGINT"}),
        ("healthcheck: {test: curl x}", {"health": ("CMD-SHELL", "curl x")}),
        (
            "healthcheck: {test: [CMD, probe], interval: 500ms, timeout: 2s, retries: 7, start_period: 1m}",
            {"health": ("CMD", "probe")},
        ),
        ("healthcheck: {test: [NONE]}", {"health": None}),
        ("healthcheck: {disable: true, test: [CMD, x]}", {"health": None}),
        ("extra_hosts: ['a:10.0.0.1', 'b=10.0.0.2']", {"extra_hosts": {"a": "10.0.0.1", "b": "10.0.0.2"}}),
        ("labels: [a=b, c]", {"labels": {"a": "b", "c": ""}}),
        ("labels: {a: 1}", {"labels": {"a": "1"}}),
        ("cap_drop: [ALL]\ncap_add: [CHOWN]", {"cap_drop": ("ALL",), "cap_add": ("CHOWN",)}),
        ("restart: always\ncontainer_name: x\nlogging: {driver: none}\nnetworks: [n]\nprivileged: false", {}),
    ],
)
def test_key_is_read_as_compose_reads_it(keys: With, text: str, expected: dict[str, object]) -> None:
    """Short forms, long forms, numbers and texts."""
    found = keys(text).services["server"].container
    assert found == replace(Container(image="server:1"), **expected)  # type: ignore[arg-type] # a table of fields


def test_mounts_are_read_in_every_form(keys: With, tmp_path: Path) -> None:
    """Volumes by name and without, files of the machine, memory."""
    text = """volumes:
  - data:/data
  - data:/again:ro
  - /anonymous
  - ./conf/a.yml:/conf/a.yml:ro
  - {type: bind, source: ./b, target: /b}
  - {type: volume, source: data, target: /long, read_only: true}
  - {type: tmpfs, target: /memory, tmpfs: {size: 1048576}}"""
    volumes = "volumes:\n  data: {driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}}\nx-harness:\n  links"
    stack = keys(text, ("x-harness:\n  links", volumes))
    container = stack.services["server"].container
    assert container is not None
    assert container.mounts == (
        VolumeMount("data", "/data"),
        VolumeMount("data", "/again", read_only=True),
        VolumeMount(None, "/anonymous"),
        BindMount(tmp_path / "conf/a.yml", "/conf/a.yml", read_only=True),
        BindMount(tmp_path / "b", "/b"),
        VolumeMount("data", "/long", read_only=True),
    )
    assert container.tmpfs == {"/memory": "size=1048576"}
    assert stack.volumes == {"data": Volume("local", {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"})}


def test_build_is_read_in_both_forms(keys: With, tmp_path: Path) -> None:
    """A path, or a mapping whose arguments may be a list."""
    short = keys("build: ./app").services["server"].container
    assert short is not None
    assert short.build == Build(tmp_path / "app")
    long = keys("build: {context: ., dockerfile: d/Dockerfile, args: ['A=1'], target: t}").services["server"].container
    assert long is not None
    assert long.build == Build(tmp_path, "d/Dockerfile", {"A": "1"}, "t")


def test_environment_comes_from_files_keys_and_what_is_set(keys: With, tmp_path: Path) -> None:
    """A key without a value is passed on when it is set, and not set at all otherwise."""
    (tmp_path / "first.env").write_text("A=file\nB='quoted # text'\n# a remark\n")
    (tmp_path / ".env").write_text("FROM_DOT_ENV=dot\nGIVEN=dot\n")
    text = "environment: [A=key, PASSED, UNSET, 'D=${FROM_DOT_ENV} ${GIVEN}', EMPTY=]\nenv_file: first.env"
    stack = keys(text, (_SERVER, ""), PASSED="on", GIVEN="given")
    assert stack.services["server"].environment == {
        "A": "key",
        "B": "quoted # text",
        "PASSED": "on",
        "D": "dot given",
        "EMPTY": "",
    }


def test_own_variables_yield_to_what_the_user_sets(small: Load) -> None:
    """The file's own variables hold in a drill, the relaxed ones only when they are wanted."""
    part = ("  secrets: [TOKEN]", "  secrets: [TOKEN]\n  variables: {MODE: own}\n  relaxed: {MODE: relaxed}")
    mode = (_SERVER, '    environment: {MODE: "${MODE:-default}"}\n')
    assert small(mode).services["server"].environment["MODE"] == "default"
    assert small(part, mode).services["server"].environment["MODE"] == "own"
    assert small(part, mode, relaxed=True).services["server"].environment["MODE"] == "relaxed"
    assert small(part, mode, relaxed=True, MODE="user").services["server"].environment["MODE"] == "user"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("privileged: true", "services.server.privileged: is not supported: a privileged container"),
        ("network_mode: host", "services.server.network_mode: is not supported"),
        ("secrets: [s]", "services.server.secrets: is not supported"),
        ("ulimits: {nofile: 5}", "services.server.ulimits: is not supported"),
        ("comand: x", "services.server.comand: unknown key; did you mean 'command'?"),
        ("mem_limit: much", "services.server.mem_limit: a size is written like 64m"),
        ("stop_grace_period: soon", "a duration is written like 1m30s"),
        ("ports: ['53:53/udp']", "a TCP port is written like 8000"),
        ("volumes: ['a:b:c:d']", "a volume is written like name:/path"),
        ("volumes: ['nowhere:/data']", "'nowhere' is not a volume of this file; there are: none"),
        ("deploy: {replicas: 3}", "services.server.deploy.replicas"),
        ("env_file: missing.env", "missing.env does not exist"),
        ("depends_on: {client: {condition: healthy}}", "services.server.depends_on.client.condition"),
    ],
)
def test_key_that_cannot_be_honoured_names_itself_and_its_line(keys: With, text: str, told: str) -> None:
    """To pass over it would drill another system than the user's."""
    with pytest.raises(StackError, match=r"compose\.yml:[1-9]\d*: ") as raised:
        keys(text)
    assert told in str(raised.value)
    assert ":5: " in str(raised.value)


def test_service_of_a_profile_is_left_out(small: Load) -> None:
    """Compose does not start it either, unless it is asked to."""
    assert "server" in small().services
    with pytest.raises(StackError, match="'server' is not a service"):
        small((_SERVER, f"{_SERVER}    profiles: [debug]\n"), ("    depends_on: [server]\n", ""))


def test_proxies_of_the_file_are_no_services(small: Load) -> None:
    """They stand for a link where Compose itself runs the file."""
    proxy = '  proxy:\n    image: toxiproxy\n    x-harness: {proxy_of: "client -> server:8000"}\n  client:\n'
    stack = small(("  client:\n", proxy))
    assert list(stack.services) == ["server", "client"]
    assert stack.proxies == {stack.links[0]: "proxy"}
    assert stack.proxy_container == Container(image="toxiproxy")
    with pytest.raises(StackError, match=r"is not among x-harness\.links"):
        small(("  client:\n", proxy.replace("8000", "8001")))


@pytest.mark.parametrize(
    ("text", "expected_s"), [("500ms", 0.5), ("1m30s", 90), ("1h", 3600), ("10us", 1e-5), (3, 3), (1.5, 1.5)]
)
def test_duration_is_read(text: object, expected_s: float) -> None:
    """Compose's own way of writing one."""
    assert seconds(text) == pytest.approx(expected_s)


@pytest.mark.parametrize("text", ["", "5", "5 s", "s", "1x", "-1s", None, True])
def test_duration_that_is_none_is_told(text: object) -> None:
    """A bare number in quotes has no unit."""
    with pytest.raises(ValueError, match="a duration is written"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected_bytes"),
    [("1b", 1), ("2k", 2048), ("1.5M", 1572864), ("1gb", 1 << 30), ("1GiB", 1 << 30), (7, 7)],
)
def test_size_is_read(text: object, expected_bytes: int) -> None:
    """With and without a unit, in any case."""
    assert size_bytes(text) == expected_bytes
