"""What the system still holds back of what it has accepted, read as the stack's file describes it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from harness.clients.http_list import look_up
from harness.drill.clients import Clients
from harness.errors import HarnessError
from harness.history.reads import OutboxRead
from harness.runtime.running import RunningStack


async def read_outbox(clients: Clients, running: RunningStack) -> OutboxRead | None:
    """Ask the database, or run the command beside its service; None where the file does not say how.

    Raises:
        HarnessError: the command failed, or said something else than JSON.
    """
    adapter = running.stack.adapters.outbox
    if adapter is None:
        return None
    if adapter.sql is not None and clients.database is not None:
        rows = await clients.database.rows(adapter.sql)
        return OutboxRead(*(_in_state(rows, state) for state in ("waiting", "dead", "stranded")))
    output = running.directory / f"outbox-{secrets.token_hex(4)}.json"
    code = await running.service(adapter.service or "").execute(adapter.run, output)
    text = output.read_text(encoding="utf-8", errors="replace")
    output.unlink()
    found = _object_in(text)
    if code != 0 or found is None:
        raise HarnessError(f"{' '.join(adapter.run)} should print a JSON object, and ended with {code}", evidence=text)
    return OutboxRead(*(_names(found, path) for path in (adapter.waiting, adapter.dead, adapter.stranded)))


def _in_state(rows: tuple[dict[str, object], ...], state: str) -> tuple[str, ...]:
    return tuple(str(row.get("name")) for row in rows if row.get("state") == state)


def _object_in(text: str) -> Mapping[str, object] | None:
    """The JSON object that a command has printed; lines of its log may stand before it."""
    for line in reversed([text, *text.splitlines()]):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


def _names(found: Mapping[str, object], path: str | None) -> tuple[str, ...]:
    listed = look_up(found, path) if path else None
    items = listed if isinstance(listed, list) else []
    return tuple(str(item.get("name", item)) if isinstance(item, dict) else str(item) for item in items)
