"""What the doctor's task does in a worker."""

from __future__ import annotations

import asyncio
import socket

from trading.doctor.checks.workers import Told, ToldLine
from trading.doctor.examination import examine
from trading.doctor.registry import CHECKS
from trading.doctor.surroundings import Surroundings


def examine_here() -> Told:
    """Make the checks that matter where the tasks run, with the settings that are there."""
    checks = [check for check in CHECKS if check.on_workers]
    lines = asyncio.run(examine(checks, Surroundings.read()))
    told = [
        ToldLine(check=line.check, verdict=line.finding.verdict, detail=line.finding.detail, fix=line.finding.fix)
        for line in lines
    ]
    return Told(host=socket.gethostname(), lines=told)
