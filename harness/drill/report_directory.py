"""Where drills leave what they found: a directory for each report, and a folder in it for each drill."""

from __future__ import annotations

import itertools
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import ReportNotWritten


def new_report_directory(parent: Path) -> Path:
    """Make a folder for a report, before anything starts; its path is absolute.

    Raises:
        ReportNotWritten: it cannot be made, or nothing can be written into it.
    """
    directory = parent.absolute() / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(2)}"
    try:
        directory.mkdir(parents=True)
        probe = directory / "probe"
        probe.write_bytes(b"\0" * 65536)
        probe.unlink()
    except OSError as cause:
        shutil.rmtree(directory, ignore_errors=True)
        raise ReportNotWritten(
            f"{directory}: the report cannot be written ({cause.strerror}); make room, or name a folder with --reports"
        ) from cause
    return directory


def folder_of_drill(report: Path, scenario: str) -> Path:
    """Where a drill leaves its evidence; a scenario that is drilled several times has a folder for each."""
    names = (scenario if nth == 1 else f"{scenario}-{nth}" for nth in itertools.count(1))
    return next(report / name for name in names if not (report / name).exists())
