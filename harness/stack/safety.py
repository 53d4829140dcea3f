"""Nothing but a stand-in or a paper account is ever drilled.

Source: IB's default ports (4001 live gateway, 4002 paper gateway, 7496 live TWS, 7497 paper TWS), and the ``DU`` with
which paper accounts begin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.errors import UnsafeTarget
from harness.stack.source import Source

LIVE_PORTS = frozenset({4001, 7496})
_LIVE_PORT = re.compile(rf"(?<!\d)({'|'.join(str(port) for port in sorted(LIVE_PORTS))})(?!\d)")
_ACCOUNT = re.compile(r"\b(?:U|F|I)\d{5,9}\b")
_ALLOWED = "only stand-ins and paper accounts (DU…, ports 4002 and 7497) are drilled"
_ABOUT_BROKER = re.compile(r"IBKR|IB_|TWS|GATEWAY|BROKER|ACCOUNT", re.IGNORECASE)


GATEWAY_IMAGES = ("gnzsnz/ib-gateway", "extrange/ibkr", "unusualalpha/ib-gateway", "waytrade/ib-gateway")
"""The images of a real gateway that are used most, without registry and tag. Source: their repositories' own pages."""
_HOST = re.compile(r"(HOST|ADDR|ADDRESS|SERVER)$", re.IGNORECASE)


def is_gateway_image(image: str | None) -> bool:
    """Whether an image is known to be a real gateway: ``registry.example/gnzsnz/ib-gateway:stable``."""
    path = re.split(r"[:@]", re.sub(r"^[^/]*[.:][^/]*/", "", (image or "").lower()))[0]
    return path in GATEWAY_IMAGES


def refuse_live_targets(source: Source, environments: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a stack that names a live port or account.

    A live port is none where the overlay has put the gateway stub in the place of the service that listens on it: the
    stub that ``adapters.gateway`` names, whose control port is asked for its paper account before any drill.

    Raises:
        UnsafeTarget: names file, line and key, and what is allowed.
    """
    data = source.data if isinstance(source.data, dict) else {}
    stub = _stub_in_its_place(source, data)
    links = _links(data)
    for service, environment in environments.items():
        _refuse_environment(source, service, environment, stub, links)
    for index, link in enumerate(links):
        address, _, port = link.rpartition(":")
        if port.isdigit() and int(port) in LIVE_PORTS and (stub is None or not address.endswith(f" {stub}")):
            where = source.where(("x-harness", "links", index))
            raise UnsafeTarget(f"{where}: port {port} is a live trading port; {_ALLOWED}")
    for service, definition in (data.get("services") or {}).items():
        run = ((definition or {}).get("x-harness") or {}).get("run") or []
        for index, word in enumerate(run):
            if _ACCOUNT.fullmatch(str(word)) or (str(word).isdigit() and int(word) in LIVE_PORTS):
                where = source.where(("services", service, "x-harness", "run", index))
                raise UnsafeTarget(f"{where}: {word} is a live account or port; {_ALLOWED}")


def _refuse_environment(
    source: Source, service: str, environment: Mapping[str, str], stub: str | None, links: Sequence[str]
) -> None:
    for key, value in environment.items():
        if not _ABOUT_BROKER.search(key):
            continue
        where = source.where(("services", service, "environment", key))
        match = _LIVE_PORT.search(value)
        if match and not _means_stub(stub, service, int(match[0]), environment, links):
            raise UnsafeTarget(f"{where}: port {match[0]} is a live trading port; {_ALLOWED}")
        if match := _ACCOUNT.search(value):
            raise UnsafeTarget(f"{where}: account {match[0]} is not a paper account; {_ALLOWED}")


def _stub_in_its_place(source: Source, data: Mapping[str, Any]) -> str | None:
    """The service in whose place the overlay has put the gateway stub; None where there is none.

    Raises:
        UnsafeTarget: what was put there is a real gateway.
    """
    adapters = (data.get("x-harness") or {}).get("adapters") or {}
    control = (adapters.get("gateway") or {}).get("control") if isinstance(adapters, dict) else None
    name = urlsplit(str(control or "")).hostname
    service = (data.get("services") or {}).get(name) or {}
    if source.under is None or not (service.get("x-harness") or {}).get("stands_in"):
        return None
    if is_gateway_image(service.get("image")):
        where = source.where(("services", str(name), "image"))
        raise UnsafeTarget(f"{where}: {service['image']} is a real gateway, not the stub; {_ALLOWED}")
    return name


def _means_stub(
    stub: str | None, service: str, port: int, environment: Mapping[str, str], links: Sequence[str]
) -> bool:
    """Whether a live port in a service's settings is the stub's: a link says so, and no other broker is named."""
    if stub is None or f"{service} -> {stub}:{port}" not in links:
        return False
    named = [value for key, value in environment.items() if _ABOUT_BROKER.search(key) and _HOST.search(key)]
    beside = [value for key, value in environment.items() if _ABOUT_BROKER.search(key) and f":{port}" in value]
    return all(value == stub for value in named) and all(
        re.search(rf"(?<![\w.-]){re.escape(stub)}:{port}\b", value) for value in beside
    )


def _links(data: Mapping[str, Any]) -> Sequence[str]:
    part = data.get("x-harness")
    links = part.get("links", []) if isinstance(part, dict) else []
    return [" -> ".join(each.strip() for each in str(link).split("->")) for link in links or []]
