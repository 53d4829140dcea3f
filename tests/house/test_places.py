"""What is committed says nothing of the machine that it was written on, nor of how it came to be written."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.sources import Breach, lines, name_of, require_none

# An absolute path under a folder that belongs to one machine; tests name homes that exist nowhere.
_OWN_PATH = re.compile(r"(?<![\w.])/(?:work|root|Users|opt/wheels|tmp/[a-z]+)/|/home/(?!u\b)")
_REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry-1\.docker|\bdocker\.io/|ghcr\.io|quay\.io|proxy\.golang\.org|deb\.debian\.org"
)
# Cargo calls its default registry by this name, wherever the machine's own settings look for it.
_LOCKS_PLACE = re.compile(
    r"://(?!github\.com/rust-lang/crates\.io-index\"$)|--(?:index|extra-index|find-links|trusted-host)|@ file:"
)
_WRITING = re.compile(
    r"(?<![\w-])(?:sub-?agents?|AI agents?|claude|anthropic|copilot|chatgpt|codex|worktrees?)(?!\w)",
    re.IGNORECASE,
)
_OWN = name_of(Path(__file__))


def _found(pattern: re.Pattern[str], *, only: str = "") -> list[Breach]:
    return [
        Breach(line.path, line.number, found[0])
        for line in lines()
        if line.path != _OWN and re.search(only, line.path) and (found := pattern.search(line.text))
    ]


def test_no_path_of_one_machine() -> None:
    """No file names a path that exists on the machine on which it was written only."""
    require_none(_found(_OWN_PATH), instead="name the place from the project's folder, or by a setting")


def test_no_address_of_a_registry() -> None:
    """Where packages and images come from is each machine's own setting."""
    require_none(_found(_REGISTRY), instead="leave the place to pip's, uv's, Go's and Docker's own settings")


def test_locks_name_no_place() -> None:
    """A lock pins versions and hashes, and no place."""
    places = _found(_LOCKS_PLACE, only=r"\.lock$|\.lock\.txt$|requirements\.txt$")
    require_none(places, instead="take the address or the option out of the lock")


def test_locks_of_node_name_no_place() -> None:
    """The lock of packages for Node.js says what they are, and not where they were fetched from."""
    places = _found(re.compile(r'"resolved"'), only=r"package-lock\.json$")
    require_none(places, instead="make the lock with npm's setting omit-lockfile-registry-resolved")


def test_nothing_of_how_it_was_written() -> None:
    """The project tells of itself, and not of the tools that wrote it."""
    require_none(_found(_WRITING), instead="say what the code does, not how it came to be written")
