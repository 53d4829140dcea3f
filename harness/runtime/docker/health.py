"""When a service's container is ready: by its probe, or else by Compose's own health check, run in the container."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.readiness import Attempt, wait_until, wait_until_ready
from harness.stack.stack import Service

_SHOWN_CHARACTERS = 200


async def wait_until_up(
    engine: Engine, running: ServiceContainer, service: Service, rewrite_addresses: Callable[[str], str]
) -> float:
    """Wait until a service is ready.

    Args:
        engine: where it runs.
        running: its container.
        service: what says when it is ready.
        rewrite_addresses: puts real addresses in the place of ``service:port``.

    Returns:
        How long it took, in seconds.

    Raises:
        StartFailed: it ended before it was ready.
        DeadlineExceeded: it was not ready in time.
    """
    part = service.part
    if part.ready is None and service.container is not None and service.container.health is not None:
        attempt = _health_attempt(engine, running, service.container.health)
        return await wait_until(attempt, running, part.ready_within_s)
    return await wait_until_ready(running, part.ready, rewrite_addresses, part.ready_within_s)


def _health_attempt(engine: Engine, service: ServiceContainer, test: tuple[str, ...]) -> Attempt:
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
