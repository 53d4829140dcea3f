"""Nothing but a stand-in or a paper account is ever drilled.

Source: IB's default ports (4001 live gateway, 4002 paper gateway, 7496 live TWS, 7497 paper TWS), and the ``DU`` with
which paper accounts begin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import UnsafeTarget
from harness.stack.source import Source

LIVE_PORTS = frozenset({4001, 7496})
_LIVE_PORT = re.compile(rf"(?<!\d)({'|'.join(str(port) for port in sorted(LIVE_PORTS))})(?!\d)")
_ACCOUNT = re.compile(r"\b(?:U|F|I)\d{5,9}\b")
_ALLOWED = "only stand-ins and paper accounts (DU…, ports 4002 and 7497) are drilled"
_ABOUT_BROKER = re.compile(r"IBKR|IB_|TWS|GATEWAY|BROKER|ACCOUNT", re.IGNORECASE)


def refuse_live_targets(source: Source, environments: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a stack that names a live port or account.

    Raises:
        UnsafeTarget: names file, line and key, and what is allowed.
    """
    for service, environment in environments.items():
        for key, value in environment.items():
            where = source.where(("services", service, "environment", key))
            if _ABOUT_BROKER.search(key) and (match := _LIVE_PORT.search(value)):
                raise UnsafeTarget(f"{where}: port {match[0]} is a live trading port; {_ALLOWED}")
            if _ABOUT_BROKER.search(key) and (match := _ACCOUNT.search(value)):
                raise UnsafeTarget(f"{where}: account {match[0]} is not a paper account; {_ALLOWED}")
    data = source.data if isinstance(source.data, dict) else {}
    part = data.get("x-harness")
    links = part.get("links", []) if isinstance(part, dict) else []
    for index, link in enumerate(links):
        port = str(link).rpartition(":")[2]
        if port.isdigit() and int(port) in LIVE_PORTS:
            where = source.where(("x-harness", "links", index))
            raise UnsafeTarget(f"{where}: port {port} is a live trading port; {_ALLOWED}")
    for service, definition in (data.get("services") or {}).items():
        run = ((definition or {}).get("x-harness") or {}).get("run") or []
        for index, word in enumerate(run):
            if _ACCOUNT.fullmatch(str(word)) or (str(word).isdigit() and int(word) in LIVE_PORTS):
                where = source.where(("services", service, "x-harness", "run", index))
                raise UnsafeTarget(f"{where}: {word} is a live account or port; {_ALLOWED}")
