"""Which operations fail with which library, and why: each by name, so that none is hidden, and none stays listed."""

from __future__ import annotations

from collections.abc import Mapping

ALL = "every library"

# By operation, then by library.
EXPECTED_FAILURES: Mapping[str, Mapping[str, str]] = {
    "order while disconnected": {
        "stoqey_ib": "the library says nothing: it holds what is asked of it until it is connected again",
        "rust_ibapi_2": "the library says nothing: it connects anew by itself",
    },
}


def expected_failure(operation: str, library: str) -> str | None:
    """Return why an operation fails with a library, None if it works."""
    reasons = EXPECTED_FAILURES.get(operation, {})
    return reasons.get(library) or reasons.get(ALL)
