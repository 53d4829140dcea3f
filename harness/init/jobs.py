"""Jobs, found by who waits for their end, and by what they are called or run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from harness.init.foreign import ForeignService
from harness.init.readiness import FoundProbe, has_health_check

_WORDS = re.compile(
    r"(?<![a-z])(make|create|creates?buckets?|init|initiali[sz]e|migrate|migrations?|setup|seed|bootstrap|provision|"
    r"upgrade|mb|import|load)(?![a-z])"
)
_STAYS_UP = ("always", "unless-stopped")


def find_jobs(services: Mapping[str, ForeignService]) -> dict[str, FoundProbe]:
    """Each service that is ready once it has ended well, as far as the file tells."""
    found: dict[str, FoundProbe] = {}
    for client in services.values():
        for name, how in client.compose.depends_on.items():
            if name in services and how.condition == "service_completed_successfully":
                found[name] = FoundProbe("done", "true", f"{client.name} waits for its end")
            elif name in services and how.condition == "service_started" and _does_something_once(services[name]):
                said = f"{client.name} waits for it, and its name or command says that it only does something once"
                found.setdefault(name, FoundProbe("done", "true", f"{said}: a guess"))
    return found


def _does_something_once(service: ForeignService) -> bool:
    if service.ports or has_health_check(service) or service.compose.restart in _STAYS_UP:
        return False
    return any(_WORDS.search(text.lower()) for text in _texts(service))


def _texts(service: ForeignService) -> Iterator[str]:
    yield service.name
    yield from (*(service.compose.entrypoint or ()), *(service.compose.command or ()))[:6]
