"""What other packages add: objects that they name under entry points of a group, as ``harness.faults``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TypeVar

from harness.errors import UsageError

Added = TypeVar("Added")


def load_added(group: str, accept: type[Added]) -> dict[str, Added]:
    """Load what other packages have named under an entry point group.

    Args:
        group: the group, as in ``harness.checks``.
        accept: what each of them must be an instance of.

    Returns:
        The objects, by the names of their entry points.

    Raises:
        UsageError: one cannot be loaded, or is something else; the message names the package and the entry point.
    """
    found: dict[str, Added] = {}
    for point in entry_points(group=group):
        package = point.dist.name if point.dist is not None else "an unknown package"
        where = f"the entry point {point.name!r} of {group} in {package}"
        try:
            added = point.load()
        except Exception as cause:
            raise UsageError(f"{where} cannot be loaded: {type(cause).__name__}: {cause}") from cause
        if not isinstance(added, accept):
            raise UsageError(f"{where} should be a {accept.__name__}, and is {added!r}")
        found[point.name] = added
    return found
