"""``harness status``: the stack that `harness up` has started, and where it is reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.cli.options import StackFile, console_for_people
from harness.daemon.client import ask_status
from harness.daemon.state_file import read_state
from harness.daemon.status import Access, ServiceStatus, StackStatus
from harness.drill.again import DEFAULT_STACK
from harness.drill.interruptible import run_interruptibly
from harness.errors import UsageError
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RuntimeName
from harness.stack.credentials import Origin

NONE_UP = '{\n  "up": false\n}'
Json = Annotated[bool, typer.Option("--json", help="Print the status as JSON, and nothing else, on standard output.")]
_RUNS_AS = {RuntimeName.LOCAL: "local processes", RuntimeName.DOCKER: "containers"}
_MINUTE_S, _HOUR_S = 60, 3600


def status(stack: StackFile = DEFAULT_STACK, json: Json = False) -> int:
    """Show the stack that `harness up` has started: what runs, where it is reached, and what it is doing.

    That no stack is up is an answer like another: the exit code is 0, as with `docker compose ps`.
    """
    console = console_for_people(stderr=json)
    state = read_state(stack)
    if state is None:
        if not stack.is_file():
            raise UsageError(f"there is no compose file {stack}: name the one that `harness up` was given")
        if json:
            typer.echo(NONE_UP)
        else:
            console.print(f" no stack of {stack} is up: `harness up` starts it", highlight=False, soft_wrap=True)
        return 0
    found = run_interruptibly(ask_status(state, TerminalProgress(console)))
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        print_status(console, found)
    return 0


def print_status(console: Console, status: StackStatus) -> None:
    """Print it for people: never a secret, but where each comes from."""
    up_s = (datetime.now(UTC) - status.since).total_seconds()
    sabotaged = f", saboteur {status.saboteur}" if status.saboteur else ""
    since = f"{status.since.astimezone():%Y-%m-%d %H:%M:%S} ({_lasting(up_s)})"
    _rows(
        console,
        "",
        [
            ("stack", f"{status.stack}, as {_RUNS_AS[status.runtime]}{sabotaged}, session {status.session}"),
            ("up since", since),
            ("doing", "nothing, it waits for work" if status.work is None else str(status.work)),
        ],
    )
    _rows(console, "services", [(each.name, _service(each)) for each in status.services])
    _rows(console, "links, each through its proxy", [(each.link, each.address) for each in status.links])
    _rows(console, "to be asked directly", [(each.what, _access(each)) for each in status.access])
    _rows(console, "variables with secrets", [(name, _origin(name, each)) for name, each in status.secrets.items()])


def _rows(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if not rows:
        return
    if title:
        console.print(f"\n {title}", highlight=False)
    width = max(len(name) for name, _ in rows)
    indent = "   " if title else " "
    for name, text in rows:
        console.print(f"{indent}{escape(name):<{width}}  {escape(text)}".rstrip(), highlight=False, soft_wrap=True)


def _service(service: ServiceStatus) -> str:
    ports = ", ".join(f"{port.address} (port {port.port})" for port in service.ports)
    return f"{service.state:<8} {ports}"


def _access(access: Access) -> str:
    user = f"user {access.user}" if access.user else ""
    password = f"password from {access.password_from}" if access.password_from else ""
    login = ", ".join(part for part in (user, password) if part)
    return f"{access.address}   {login}"


def _origin(name: str, origin: Origin) -> str:
    match origin:
        case Origin.ENVIRONMENT:
            return "from the environment of `harness up`"
        case Origin.DOT_ENV:
            return "from the .env beside the compose file"
        case Origin.COMPOSE_FILE:
            return "from x-harness.variables of the compose file"
        case Origin.MADE_UP:
            return f"made up for this stack: set {name} before `harness up` to choose it yourself"


def _lasting(time_s: float) -> str:
    if time_s < _MINUTE_S:
        return f"{time_s:.0f} s"
    if time_s < _HOUR_S:
        return f"{time_s // _MINUTE_S:.0f} min"
    return f"{time_s // _HOUR_S:.0f} h {time_s % _HOUR_S // _MINUTE_S:.0f} min"
