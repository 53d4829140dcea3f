"""What effects on services in containers share: the container, and the labels of what is started beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from docker.models.containers import Container

from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.effects.service import ServiceEffect, ServiceFaultT
from harness.runtime.running import RunningStack
from harness.runtime.session.labels import labels_of


class StackOfContainers(RunningStack, Protocol):
    """A running stack whose services are containers."""

    def service(self, name: str) -> ServiceContainer:
        """A service, to take it down and bring it back."""


class ContainerEffect(ServiceEffect[ServiceFaultT]):
    """A fault that the kernel or the engine does to a container.

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the service's name.
    """

    def __init__(self, fault: ServiceFaultT, running: StackOfContainers, target: str) -> None:
        super().__init__(fault, running, target)
        self._contained = running.service(target)

    @property
    def container(self) -> Container:
        """The service's container."""
        return self._contained.container()

    @property
    def labels(self) -> Mapping[str, str]:
        """What a sidecar bears, so that the session's end removes it too."""
        return {**labels_of(self.running.session_id), "harness.sidecar-of": self.target}
