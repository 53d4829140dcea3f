"""A proposal for a compose file that a test writes."""

from __future__ import annotations

from pathlib import Path

from harness.init.proposal import Proposal, propose


def proposed(home: Path, text: str, *, only: tuple[str, ...] = (), **variables: str) -> Proposal:
    """Write a compose file and read it as a foreign one."""
    path = home / "docker-compose.yml"
    path.write_text(text)
    return propose(path, variables, only)
