"""One word for one thing, and sentences that say who does what."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import Breach, files, lines, modules, name_of, require_none
from tests.house.words import WORDS, Word

# Pins are others' words.
_NOT_PROSE = ("requirements.txt", "requirements.lock", ".lock.txt", "uv.lock.txt")
# These name them all.
_OWN = {"tests/house/words.py", "tests/house/test_words.py"}
_CHANGES = "CHANGELOG.md"


@functools.cache
def _prose() -> frozenset[tuple[str, int, str]]:
    """Give every line that a person reads, and every file's name; of the changes only those that are to come."""
    return frozenset(_lines_of_prose())


def _lines_of_prose() -> Iterator[tuple[str, int, str]]:
    released = False
    for line in lines():
        if line.path == _CHANGES:
            released = released or (line.text.startswith("## ") and "Unreleased" not in line.text)
        if not line.path.endswith(_NOT_PROSE) and line.path not in _OWN and not (line.path == _CHANGES and released):
            yield line.path, line.number, line.text
    for path in files():
        yield name_of(path), 1, name_of(path)


@functools.cache
def _names() -> frozenset[tuple[str, int, str]]:
    """Give every name of the code: of modules, classes, functions, arguments, variables and attributes."""
    return frozenset(_names_of_code())


def _names_of_code() -> Iterator[tuple[str, int, str]]:
    for module in modules():
        yield module.path, 1, Path(module.path).stem
        if module.path in _OWN:
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                    yield module.path, node.lineno, name
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield module.path, node.lineno, name
                case ast.keyword(arg=str(name)):
                    yield module.path, node.lineno, name


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.pattern)
def test_word_is_not_used(word: Word) -> None:
    """A word that was decided against stands in no code, no comment, no message and no page."""
    texts = _names() if word.only_names else _prose()
    used = [Breach(path, line, text.strip()[:140]) for path, line, text in texts if word.found_in(text)]
    require_none(used, instead=f"say: {word.instead}")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("grip", "class LinkGrip:", True),
        ("grip", "harness.drill.link_grip", True),
        ("grip", "It is gripping.", False),
        ("let_go", "self._let_go()", True),
        ("whatever", "Whatever happens", True),
    ],
)
def test_word_is_found_as_a_part_of_a_name(pattern: str, text: str, found: bool) -> None:  # noqa: FBT001 - a row of the table above
    """Names are read word by word, as people read them."""
    assert Word(pattern, "").found_in(text) is found
