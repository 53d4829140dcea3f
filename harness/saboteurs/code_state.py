"""One word for the state of all code that a saboteur's drill depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import harness

_SUFFIXES = frozenset({".py", ".sql", ".yaml", ".yml"})
_ELSE = frozenset({"benchmarks", "bootstrap", "docs", "features", "reports", "tests", "__pycache__"})
_LENGTH = 12


def code_state(project: Path) -> str:
    """Digest the code of a project, and that of the harness, but for its tests and what it has written.

    Args:
        project: the folder of the stack's file.
    """
    digest = hashlib.sha256()
    for folder in (project, Path(harness.__file__).parent):
        for path in sorted(_code_in(folder)):
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_LENGTH]


def _code_in(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _ELSE:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _code_in(path)
        elif path.suffix in _SUFFIXES and path.is_file():
            yield path
