"""What a table of the documentation is made of."""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]
"""A table: the first row is its head."""
