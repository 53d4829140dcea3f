"""A function that raises one of the harness's errors says so in its docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.sources import Breach, FunctionNode, modules, own_nodes, require_none

_SECTION = re.compile(r"^Raises:\n(?P<rows>(?:[ ]+.*\n?|\n)*)", re.MULTILINE)


def _error_names() -> set[str]:
    """Give the name of every error of the tree in ``harness.errors``, those of other modules included."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for module in modules("harness")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"HarnessError"}
    while more := {name for name, of in bases.items() if of & known} - known:
        known |= more
    return known


def _public_functions(body: list[ast.stmt]) -> Iterator[FunctionNode]:
    for node in body:
        if isinstance(node, FunctionNode) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public_functions(node.body)


def _raised(function: FunctionNode, errors: set[str]) -> set[str]:
    raised = (node.exc for node in own_nodes(function) if isinstance(node, ast.Raise) and node.exc is not None)
    names = {ast.unparse(error.func if isinstance(error, ast.Call) else error) for error in raised}
    return {name.rpartition(".")[2] for name in names} & errors


def _documented(function: FunctionNode) -> set[str]:
    section = _SECTION.search(ast.get_docstring(function) or "")
    return set(re.findall(r"^ +(\w+):", section["rows"], flags=re.MULTILINE)) if section else set()


def test_errors_raised_are_documented() -> None:
    """Every public function of the harness whose body raises an error of the harness names it under ``Raises:``.

    Commands are left out: their docstrings are what ``--help`` prints.
    """
    errors = _error_names()
    silent = [
        Breach(module.path, function.lineno, f"{function.name} raises {name}")
        for module in modules("harness")
        if not module.path.startswith("harness/cli/")
        for function in _public_functions(module.tree.body)
        for name in _raised(function, errors) - _documented(function)
    ]
    require_none(silent, instead="say under `Raises:` when it does")
