"""Services that are a real gateway of the broker, in whose place a drill has the gateway stub.

Source: the images that are used most, and the ports on which they and IB's own programs listen: 4001 and 4002 (IB
Gateway, live and paper), 4003 and 4004 (the forwarders of gnzsnz/ib-gateway), 7496 and 7497 (Trader Workstation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.init.foreign import ForeignService
from harness.init.links import FoundLink
from harness.init.readiness import FoundProbe
from harness.stack.safety import is_gateway_image

API_PORTS = frozenset({4001, 4002, 4003, 4004, 7496, 7497})
STUB_IMAGE = "trading-ibkr-gateway"
STUB_MODULE = "fixtures.ibkr_gateway"
PAPER_PORT = 4002
# None of the ports on which a gateway listens.
CONTROL_PORT = 8003
_NAMED = re.compile(r"(?<![a-z])(ib|ibkr|ibg|ibgw|tws|ibgateway|ibc)(?![a-z])|gateway", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundGateway:
    """A real gateway among the services.

    Args:
        service: its name.
        port: on which the system asks for it.
        why: how it was known, for people.
    """

    service: str
    port: int
    why: str

    @property
    def ready(self) -> FoundProbe:
        """How the stub in its place is seen to be ready."""
        return FoundProbe("http", f"http://{self.service}:{CONTROL_PORT}/health", "the gateway stub in its place")


def find_gateway(services: Mapping[str, ForeignService], links: Sequence[FoundLink]) -> FoundGateway | None:
    """The first service that is a real gateway, by its image, or by its name and the port that it is asked for."""
    for name, service in services.items():
        asked = [each.link.port for each in links if each.link.server == name]
        known = [port for port in (*asked, *service.ports) if port in API_PORTS]
        if is_gateway_image(service.compose.image):
            return FoundGateway(name, [*known, *asked, PAPER_PORT][0], f"its image, {service.compose.image}")
        if known and (_NAMED.search(name) or _NAMED.search(service.compose.image or "")):
            return FoundGateway(name, known[0], f"its name, and port {known[0]}")
    return None


def of_gateway(gateway: FoundGateway | None, links: Sequence[FoundLink]) -> tuple[FoundLink, ...]:
    """Links, with the protocol of those that lead to a gateway."""
    if gateway is None:
        return tuple(links)
    leads = [each.link.server == gateway.service and each.link.port == gateway.port for each in links]
    return tuple(replace(each, protocol="tws") if to else each for each, to in zip(links, leads, strict=True))
