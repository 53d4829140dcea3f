"""A link: a directed connection from a client service to a server service's port."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"(?P<client>[\w.-]+)\s*->\s*(?P<server>[\w.-]+?)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One directed connection, as ``workflow -> backend:8000``.

    Args:
        client: the service that connects.
        server: the service that listens.
        port: the server's port as the compose file knows it (not the port on this machine).
    """

    client: str
    server: str
    port: int

    def __str__(self) -> str:
        return f"{self.client} -> {self.server}:{self.port}"

    @property
    def short(self) -> str:
        """The link without its port, as scenarios name it."""
        return f"{self.client} -> {self.server}"

    @property
    def slug(self) -> str:
        """The link as a file name."""
        return f"{self.client}--{self.server}-{self.port}"


def parse_link(text: str) -> Link:
    """Read ``client -> server:port``.

    Raises:
        ValueError: the text has another form; the message shows the right one.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or match["port"] is None:
        raise ValueError(
            f"a link is written 'client -> server:port', for example 'workflow -> backend:8000', not {text!r}"
        )
    return Link(client=match["client"], server=match["server"], port=int(match["port"]))


def matches(text: str, link: Link) -> bool:
    """Whether a scenario's name for a link (with or without its port) means ``link``."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return False
    named_port = match["port"]
    return (match["client"], match["server"]) == (link.client, link.server) and named_port in (None, str(link.port))
