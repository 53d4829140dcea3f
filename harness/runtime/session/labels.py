"""The labels by which everything that a session makes in an engine is known, and removed.

Standard library only: the reaper reads them.
"""

from __future__ import annotations

import socket
from pathlib import Path

# The one that Testcontainers' own tools look for.
SESSION = "org.testcontainers.session-id"
OUR_SESSION = "harness.session"
DIRECTORY = "harness.directory"
HOST = "harness.host"
SERVICE = "harness.service"
LINK = "harness.link"
# A template outlives its session: its volume bears no session's label, but its maker's.
TEMPLATE = "harness.template"
TEMPLATE_MAKER = "harness.template-maker"
TEMPLATE_VOLUME = "harness.template-volume"


def labels_of(
    session: str, *, directory: Path | None = None, service: str | None = None, link: str | None = None
) -> dict[str, str]:
    """The labels of a container, network or volume.

    Args:
        session: the session's id.
        directory: the session's directory, by whose lock it is known to live.
        service: the service that it belongs to, if it belongs to one.
        link: the link that it belongs to, if it belongs to one.
    """
    # A session of another machine, or of a container, with the same engine cannot be seen to live from here.
    labels = {SESSION: session, OUR_SESSION: session, HOST: socket.gethostname()}
    if directory is not None:
        labels[DIRECTORY] = str(directory)
    if service is not None:
        labels[SERVICE] = service
    if link is not None:
        labels[LINK] = link
    return labels


def maker_labels(session: str, directory: Path) -> dict[str, str]:
    """The labels of a volume that holds a template, or is to: it may outlive the session that made it.

    Args:
        session: the session's id.
        directory: its directory.
    """
    return {TEMPLATE_MAKER: session, HOST: socket.gethostname(), DIRECTORY: str(directory)}
