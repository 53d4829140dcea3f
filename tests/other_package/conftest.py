"""The package's own tests need it installed: they run in a process of their own, from a copy of it."""

from __future__ import annotations

collect_ignore = ["package"]
