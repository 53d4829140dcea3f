"""What other projects may import is small, and each name of it is used in an example that two type checkers read."""

from __future__ import annotations

import ast

import harness
from bootstrap.__main__ import CHECKS
from tests.house.sources import ROOT

NAMES_MAX = 15
EXAMPLE = "tests/house/public_api_usage.py"
PUBLIC: tuple[str, ...] = tuple(getattr(harness, "__all__", ()))


def test_public_names_are_few() -> None:
    """A user learns at most fifteen names, in the order of the alphabet."""
    assert len(PUBLIC) <= NAMES_MAX
    assert list(PUBLIC) == sorted(PUBLIC)


def test_public_names_exist() -> None:
    """Each name that is promised is there."""
    missing = [name for name in PUBLIC if not hasattr(harness, name)]
    assert not missing, f"harness/__init__.py: __all__ names what does not exist: {missing}"


def test_example_uses_every_public_name() -> None:
    """A name without an example would be checked by nothing."""
    tree = ast.parse((ROOT / EXAMPLE).read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    unused = [name for name in PUBLIC if name not in used]
    assert not unused, f"{EXAMPLE}: use {unused} as a user would"


def test_two_type_checkers_read_the_public_names() -> None:
    """Mypy and another one, since a user's may be another than ours."""
    assert {"mypy", "ty"} <= {command[0] for command in CHECKS if command == ("mypy",) or EXAMPLE in command}
