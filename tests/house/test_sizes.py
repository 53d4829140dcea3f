"""A file is about one thing, and a function fits on a screen."""

from __future__ import annotations

import ast
from pathlib import PurePath

from tests.house.sources import ROOT, Breach, FunctionNode, files, functions, modules, name_of, require_none

CODE = ("harness", "trading", "fixtures")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
RUNTIME_MODULES_MAX = 8
NAMES_THAT_NAME_NOTHING = {"utils", "helpers", "common", "misc"}
# Functions that may be longer, each with the reason.
LONGER = {
    "fixtures/ibkr_gateway/control.py:control_app": "the routes of one HTTP application, each a few lines by itself",
}


def _lines(function: FunctionNode) -> int:
    """Count a function's lines but for its docstring's, which the rule must not shorten."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_files_are_short() -> None:
    """No Python file of the harness, the reference system or the stand-ins has more than 300 lines."""
    long = [
        Breach(module.path, FILE_LINES_MAX, f"{count} lines")
        for module in modules(*CODE)
        if (count := len(module.text.splitlines())) > FILE_LINES_MAX
    ]
    require_none(long, instead="give the second thing that the file is about a file of its own")


def test_functions_are_short() -> None:
    """No function has more than 50 lines, unless it is named here with a reason."""
    long = [
        Breach(module.path, function.lineno, f"{function.name} has {_lines(function)} lines")
        for module in modules(*CODE)
        for function in functions(module.tree)
        if _lines(function) > FUNCTION_LINES_MAX and f"{module.path}:{function.name}" not in LONGER
    ]
    require_none(long, instead="give a part of it a name of its own")


def test_functions_that_may_be_longer_are_longer() -> None:
    """An exception that no function needs any more is taken off the list."""
    longer = {
        f"{module.path}:{function.name}"
        for module in modules(*CODE)
        for function in functions(module.tree)
        if _lines(function) > FUNCTION_LINES_MAX
    }
    assert set(LONGER) <= longer, f"take off the list LONGER: {sorted(set(LONGER) - longer)}"


def test_runtime_has_few_modules_of_its_own() -> None:
    """What both runtimes share is at most eight modules; all else is in a package that says what it holds."""
    here = sorted(path.name for path in (ROOT / "harness" / "runtime").glob("*.py") if path.name != "__init__.py")
    assert len(here) <= RUNTIME_MODULES_MAX, f"harness/runtime holds {here}: move one into a package of its subject"


def test_names_say_something() -> None:
    """No file or folder is called for holding what found no other place."""
    empty = [
        Breach(name_of(path), 1, f"is called {part}")
        for path in files()
        for part in PurePath(name_of(path)).parts
        if PurePath(part).stem in NAMES_THAT_NAME_NOTHING
    ]
    require_none(empty, instead="name the concept that it holds")
