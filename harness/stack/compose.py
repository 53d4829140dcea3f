"""The compose file as it is written: Compose's own keys, and what only a harness needs to know, in ``x-harness``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.stack.adapters import Adapters
from harness.stack.compose_values import (
    Build,
    Bytes,
    Dependencies,
    Deploy,
    Environment,
    HealthPart,
    Hosts,
    Listed,
    OpenEnvironment,
    Ports,
    Scalar,
    Seconds,
    Text,
    Tmpfs,
    Volume,
    Words,
)
from harness.stack.link import parse_link
from harness.stack.restart_policy import Restart
from harness.validated import Strict


def _link_text(value: object) -> object:
    if isinstance(value, str):
        parse_link(value)
    return value


class HttpProbe(Strict):
    """Ready once a GET of ``http`` answers 2xx, with these values at these dotted paths of its JSON body."""

    http: str
    json_values: dict[str, Scalar] = Field(default_factory=dict, alias="json")


class TcpProbe(Strict):
    """Ready once a TCP connection to ``tcp`` (``service:port``) is accepted."""

    tcp: str


class LogProbe(Strict):
    """Ready once a line of the service's own output matches the regular expression ``log``."""

    log: str


class SqlProbe(Strict):
    """Ready once Postgres at the address ``sql`` answers a query."""

    sql: str


class DoneProbe(Strict):
    """A one-shot service: ready once it has ended with exit code 0."""

    done: Literal[True]


Probe = HttpProbe | TcpProbe | LogProbe | SqlProbe | DoneProbe


class Template(Strict):
    """State that is made once, kept, and copied for each session.

    Args:
        path: the directory that is kept, within the service's data.
        made_by: one-shot services that fill it; they run only when there is no template yet.
        depends_on_files: files whose content is part of the template's identity.
    """

    path: str
    made_by: list[str] = Field(default_factory=list)
    depends_on_files: list[str] = Field(default_factory=list)


class ServicePart(Strict):
    """How a service runs as a local process (``run``, ``environment``), and how its readiness is seen.

    ``{port:N}`` stands for the local port in place of the service's port N, ``{data}`` for a directory of its own,
    ``{volume:NAME}`` for a volume that services share, ``{project}`` for the compose file's directory, ``{template}``
    for the kept template. ``reset_directories`` hold the state of runs, and are emptied between drills. ``proxy_of``
    names the link whose Toxiproxy this service is where Compose itself runs the file: it is no part of the system.
    ``stands_in`` is set where an overlay has put a stand-in in the place of what the compose file says.
    """

    run: list[str] = Field(default_factory=list)
    ready: Probe | None = None
    ready_within_s: float = Field(default=60, gt=0, le=600)
    environment: Environment = Field(default_factory=dict)
    template: Template | None = None
    reset_directories: list[str] = Field(default_factory=list)
    proxy_of: Annotated[str, BeforeValidator(_link_text)] | None = None
    stands_in: bool = False


class ComposeService(Strict):
    """A service.

    The last keys are read and left alone: the harness lays the networks itself, and keeps the logs.
    """

    image: str | None = None
    build: Build | None = None
    command: Words | None = None
    entrypoint: Words | None = None
    environment: OpenEnvironment = Field(default_factory=dict)
    env_file: Listed = Field(default_factory=list)
    depends_on: Dependencies = Field(default_factory=dict)
    healthcheck: HealthPart | None = None
    ports: Ports = Field(default_factory=list)
    expose: Ports = Field(default_factory=list)
    volumes: list[Volume] = Field(default_factory=list)
    hostname: str | None = None
    user: Text | None = None
    read_only: bool = False
    tmpfs: Tmpfs = Field(default_factory=dict)
    init: bool = False
    working_dir: str | None = None
    stop_grace_period: Seconds = 10.0
    stop_signal: str | None = None
    restart: Restart | None = None
    deploy: Deploy = Deploy()
    mem_limit: Bytes | None = None
    shm_size: Bytes | None = None
    cpus: float | None = Field(default=None, gt=0)
    pids_limit: int | None = None
    cap_add: list[str] = Field(default_factory=list)
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    sysctls: Environment = Field(default_factory=dict)
    extra_hosts: Hosts = Field(default_factory=dict)
    labels: Environment = Field(default_factory=dict)
    part: ServicePart = Field(default_factory=ServicePart, alias="x-harness")

    container_name: str | None = None
    networks: list[str] | dict[str, object] = Field(default_factory=list)
    logging: dict[str, object] | None = None
    platform: str | None = None
    privileged: Literal[False] = False
    profiles: list[str] = Field(default_factory=list)
    pull_policy: str | None = None
    stdin_open: bool = False
    tty: bool = False


class ComposeVolume(Strict):
    """A named volume."""

    name: str | None = None
    driver: str = "local"
    driver_opts: Environment = Field(default_factory=dict)
    labels: Environment = Field(default_factory=dict)


class HarnessPart(Strict):
    """The file's own ``x-harness``: links, secrets, saboteurs, and how the system's promises are read.

    ``variables`` are what the file's own ``${NAME}`` stand for in a drill, and ``relaxed`` what they stand for besides
    when no scenario takes a service down: settings that give up durability for speed. What the user's environment sets
    comes before both. ``scenarios`` are those that run when none is named. ``link_probes`` says for each
    ``service:port`` in which protocol the harness may greet it; ``tcp`` when it is not named. ``host_paths`` says what
    a drill does with files and directories of this machine that services mount and may write to.
    """

    links: list[Annotated[str, BeforeValidator(_link_text)]] = Field(default_factory=list)
    variables: dict[str, str] = Field(default_factory=dict)
    relaxed: dict[str, str] = Field(default_factory=dict)
    scenarios: list[str] = Field(default_factory=list)
    secrets: list[str] = Field(default_factory=list)
    saboteur_hook: str | None = None
    link_probes: dict[str, Literal["http", "postgres", "tws", "tls"]] = Field(default_factory=dict)
    host_paths: dict[str, Literal["volume", "read-only", "left-out", "as-it-is"]] = Field(default_factory=dict)
    adapters: Adapters


class ComposeFile(BaseModel):
    """The file as a whole. Other ``x-`` keys hold anchors and are left alone; networks are laid by the harness."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str | None = None
    version: str | None = None
    services: dict[str, ComposeService] = Field(min_length=1)
    networks: dict[str, object] = Field(default_factory=dict)
    volumes: dict[str, ComposeVolume | None] = Field(default_factory=dict)
    harness: HarnessPart = Field(alias="x-harness")
