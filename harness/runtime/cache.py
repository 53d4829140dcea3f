"""What is made once and kept between sessions: tools and templates."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "HARNESS_CACHE"


def cache_directory(project: Path) -> Path:
    """The directory: ``HARNESS_CACHE``, else ``.cache`` beside the compose file."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else project / ".cache"
