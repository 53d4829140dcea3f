"""Compose's own health check, for a service that declares no probe: its command, run in the container."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.readiness import Attempt

_SHOWN_CHARACTERS = 200


def health_attempt(engine: Engine, service: ServiceContainer, test: tuple[str, ...]) -> Attempt:
    """One run of the check ``test``; None when it is healthy, else what the check said."""
    kind, *words = test
    command = ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words

    async def attempt() -> str | None:
        container = service.container()
        try:
            result = await engine.call(f"check {service.name}", lambda: container.exec_run(command))
        except HarnessError as cause:
            return str(cause)
        said = result.output.decode(errors="replace").strip() if isinstance(result.output, bytes) else ""
        shown = said.splitlines()[-1][:_SHOWN_CHARACTERS] if said else "no word"
        return None if result.exit_code == 0 else f"its health check ended with {result.exit_code}: {shown}"

    return attempt
