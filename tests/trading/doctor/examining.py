"""One check of the doctor, made as the doctor makes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from trading.doctor.examination import Line, examine
from trading.doctor.finding import Finding
from trading.doctor.registry import CHECKS
from trading.doctor.surroundings import Surroundings


def line_of(name: str, *, deadline_s: float = 5.0, backend_log: Path | None = None, code: Path | None = None) -> Line:
    """Make one check with the settings of the environment."""
    at = Surroundings.read(deadline_s=deadline_s, backend_log=backend_log, code=(code,) if code else ())
    (line,) = asyncio.run(examine([check for check in CHECKS if check.name == name], at))
    return line


def finding_of(
    name: str, *, deadline_s: float = 5.0, backend_log: Path | None = None, code: Path | None = None
) -> Finding:
    """What one check finds."""
    return line_of(name, deadline_s=deadline_s, backend_log=backend_log, code=code).finding
