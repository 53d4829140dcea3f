"""The compose file as it is written: Compose's own keys, and what only a harness needs to know, in ``x-harness``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.stack.adapters import Adapters
from harness.stack.link import parse_link

Scalar = str | int | float | bool | None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _environment(value: object) -> object:
    """Compose writes an environment as a mapping or as a list of ``KEY=value``."""
    if isinstance(value, list):
        pairs = [str(item).partition("=") for item in value]
        return {key: text for key, _, text in pairs}
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    return value


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value) if isinstance(value, int | float) else value


def _dependencies(value: object) -> object:
    """Compose writes dependencies as a list of names or as a mapping with conditions."""
    return {name: {"condition": "service_started"} for name in value} if isinstance(value, list) else value


Environment = Annotated[dict[str, str], BeforeValidator(_environment)]


class Dependency(_Strict):
    """What a service waits for in another before it starts."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = "service_started"
    restart: bool = False
    required: bool = True


class HttpProbe(_Strict):
    """Ready once a GET of ``http`` answers 2xx, with these values at these dotted paths of its JSON body."""

    http: str
    json_values: dict[str, Scalar] = Field(default_factory=dict, alias="json")


class TcpProbe(_Strict):
    """Ready once a TCP connection to ``tcp`` (``service:port``) is accepted."""

    tcp: str


class LogProbe(_Strict):
    """Ready once a line of the service's own output matches the regular expression ``log``."""

    log: str


class SqlProbe(_Strict):
    """Ready once Postgres at the address ``sql`` answers a query."""

    sql: str


class DoneProbe(_Strict):
    """A one-shot service: ready once it has ended with exit code 0."""

    done: Literal[True]


Probe = HttpProbe | TcpProbe | LogProbe | SqlProbe | DoneProbe


class Template(_Strict):
    """State that is made once, kept, and copied for each session.

    Args:
        path: the directory that is kept, within the service's data.
        made_by: one-shot services that fill it; they run only when there is no template yet.
        depends_on_files: files whose content is part of the template's identity.
    """

    path: str
    made_by: list[str] = Field(default_factory=list)
    depends_on_files: list[str] = Field(default_factory=list)


class ServicePart(_Strict):
    """How a service runs as a local process (``run``, ``environment``), and how its readiness is seen.

    ``{port:N}`` stands for the local port in place of the service's port N, ``{data}`` for a directory of its own,
    ``{volume:NAME}`` for a volume that services share, ``{project}`` for the compose file's directory, ``{template}``
    for the kept template. ``reset_directories`` hold the state of runs, and are emptied between drills.
    """

    run: list[str] = Field(default_factory=list)
    ready: Probe | None = None
    ready_within_s: float = Field(default=60, gt=0, le=600)
    environment: Environment = Field(default_factory=dict)
    template: Template | None = None
    reset_directories: list[str] = Field(default_factory=list)


class ComposeService(_Strict):
    """A service; the keys that the local runtime does not need are Compose's own business."""

    image: str | None = None
    build: str | dict[str, object] | None = None
    command: str | list[str] | None = None
    entrypoint: str | list[str] | None = None
    environment: Environment = Field(default_factory=dict)
    depends_on: Annotated[dict[str, Dependency], BeforeValidator(_dependencies)] = Field(default_factory=dict)
    healthcheck: dict[str, object] | None = None
    ports: list[object] = Field(default_factory=list)
    expose: list[object] = Field(default_factory=list)
    volumes: list[object] = Field(default_factory=list)
    networks: list[str] | dict[str, object] = Field(default_factory=list)
    hostname: str | None = None
    user: str | None = None
    restart: str | None = None
    read_only: bool = False
    tmpfs: str | list[str] = Field(default_factory=list)
    init: bool = False
    working_dir: str | None = None
    stop_grace_period: str | None = None
    deploy: dict[str, object] | None = None
    mem_limit: str | int | None = None
    cpus: float | str | None = None
    pids_limit: int | None = None
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    part: ServicePart = Field(default_factory=ServicePart, alias="x-harness")


def _link_text(value: object) -> object:
    if isinstance(value, str):
        parse_link(value)
    return value


class HarnessPart(_Strict):
    """The file's own ``x-harness``: links, secrets, saboteurs, and how the system's promises are read.

    ``variables`` are what the file's own ``${NAME}`` stand for in a drill, and ``relaxed`` what they stand for besides
    when no scenario takes a service down: settings that give up durability for speed. What the user's environment sets
    comes before both. ``scenarios`` are those that run when none is named. ``canaries`` says for each ``service:port``
    in which protocol the harness may greet it; ``tcp`` when it is not named.
    """

    links: list[Annotated[str, BeforeValidator(_link_text)]] = Field(min_length=1)
    variables: dict[str, str] = Field(default_factory=dict)
    relaxed: dict[str, str] = Field(default_factory=dict)
    scenarios: list[str] = Field(default_factory=list)
    secrets: list[str] = Field(default_factory=list)
    saboteur_hook: str | None = None
    canaries: dict[str, Literal["http", "postgres", "tws"]] = Field(default_factory=dict)
    adapters: Adapters


class ComposeFile(BaseModel):
    """The file as a whole. Other ``x-`` keys hold anchors and are left alone."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str | None = None
    version: str | None = None
    services: dict[str, ComposeService] = Field(min_length=1)
    networks: dict[str, object] = Field(default_factory=dict)
    volumes: dict[str, object] = Field(default_factory=dict)
    harness: HarnessPart = Field(alias="x-harness")
