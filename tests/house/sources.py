"""The project's own files, as the rules of the house read them, and how a broken rule is told."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("harness", "trading", "fixtures", "tests", "features", "scenarios", "benchmarks", "bootstrap", "docs")
_NOT_OURS = {"__pycache__", ".pytest_cache"}
_NOT_COMMITTED = {".env", ".git"}
_TEXTS = {
    "",
    ".cfg",
    ".feature",
    ".in",
    ".json",
    ".lock",
    ".md",
    ".py",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}
_TOLD_AT_MOST = 60

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One place at which a rule is broken.

    Args:
        path: the file, from the project's folder.
        line: its line, from 1.
        what: what breaks the rule there.
    """

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file.

    Args:
        path: the file, from the project's folder.
        text: what it says.
        tree: the same, parsed.
    """

    path: str
    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a committed text.

    Args:
        path: its file, from the project's folder.
        number: from 1.
        text: what it says.
    """

    path: str
    number: int
    text: str


def require_none(breaches: Iterable[Breach], *, instead: str) -> None:
    """Fail the test when a rule is broken anywhere, with every place and what to do.

    Args:
        breaches: the places.
        instead: what to do there.
    """
    found = sorted(set(breaches))
    if found:
        told = "\n".join(f"  {breach}" for breach in found[:_TOLD_AT_MOST])
        more = f"\n  … and {len(found) - _TOLD_AT_MOST} more" if len(found) > _TOLD_AT_MOST else ""
        pytest.fail(f"{len(found)} places break this rule; {instead}:\n{told}{more}", pytrace=False)


def files(*folders: str) -> Iterator[Path]:
    """Give every file of the folders, by default of all of the project's, in a fixed order."""
    for folder in folders or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not _NOT_OURS.intersection(path.parts):
                yield path


def name_of(path: Path) -> str:
    """Give a file's path from the project's folder."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def lines() -> tuple[Line, ...]:
    """Give every line of every text that is committed: the folders', and those of the files beside them."""
    beside = (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name not in _NOT_COMMITTED)
    texts = (path for path in (*beside, *files(), *files(".ci")) if path.suffix in _TEXTS)
    return tuple(
        Line(name_of(path), number, text)
        for path in texts
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    )


def modules(*folders: str) -> list[Module]:
    """Parse every Python file of the folders, by default of all of the project's."""
    return [_parsed(path) for path in files(*folders) if path.suffix == ".py"]


@functools.cache
def _parsed(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(name_of(path), text, ast.parse(text))


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Give every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def own_nodes(function: FunctionNode) -> Iterator[ast.AST]:
    """Give the nodes of a function's own body, without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FunctionNode.__args__, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def called_name(call: ast.Call) -> str:
    """Give the last part of what is called: ``sleep`` for ``time.sleep(1)``."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
