"""What the backend's log tells about requests to the artifacts API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings

FIX = "name the file that the backend's output goes to: --backend-log FILE"
# Our own lines, and those of uvicorn's access log; where both are, they tell the same requests twice.
_OWN = re.compile(r"artifact_request method=(?P<method>[A-Z]+) path=(?P<path>\S+) status=(?P<status>\d{3})")
_ACCESS = re.compile(r"\"(?P<method>[A-Z]+) (?P<path>/api/artifacts\S*) HTTP/[0-9.]+\" (?P<status>\d{3})")
_CAUSE = re.compile(r" cause=(.+)$")
_ERROR = re.compile(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Exceeded|Unavailable)\b.*)|.* (?:ERROR|CRITICAL) .*$")
_STORES = frozenset({"POST", "PATCH"})
_OK, _REDIRECT, _SERVER_ERROR = 200, 300, 500


@dataclass(slots=True)
class Requests:
    """What a log tells.

    Args:
        count: requests to the artifacts API.
        failed: of those, answers other than 2xx.
        not_stored: of those, requests that were to store something.
        server_errors: of those, answers 5xx.
        last_failed: the last of those, with its cause when it is told.
        last_error: the last line that names an error.
    """

    count: int = 0
    failed: int = 0
    not_stored: int = 0
    server_errors: int = 0
    last_failed: str = ""
    last_error: str = ""


def read_requests(lines: Iterable[str]) -> Requests:
    """Count the requests in a log."""
    own, access, last_error = Requests(), Requests(), ""
    for line in lines:
        if match := _OWN.search(line):
            _count(own, match, line)
        elif match := _ACCESS.search(line):
            _count(access, match, line)
        elif _ERROR.match(line):
            last_error = line.strip()[:300]
    found = own if own.count else access
    found.last_error = last_error
    return found


def _count(found: Requests, match: re.Match[str], line: str) -> None:
    status = int(match["status"])
    found.count += 1
    if _OK <= status < _REDIRECT:
        return
    found.failed += 1
    found.not_stored += match["method"] in _STORES
    found.server_errors += status >= _SERVER_ERROR
    cause = _CAUSE.search(line)
    found.last_failed = f"{match['method']} {match['path']} {status}" + (f" {cause[1].strip()[:300]}" if cause else "")


async def examine(at: Surroundings) -> Finding:
    """Read the log, when one was named."""
    if at.backend_log is None:
        return warned("no log was named", FIX)
    try:
        found = await asyncio.to_thread(_read, at.backend_log)
    except OSError as error:
        return failed(f"{at.backend_log} cannot be read: {error.strerror}", FIX)
    said = f"{found.count} artifact requests, {found.failed} of them without a 2xx answer"
    if not found.count:
        fix = "the workflow's BACKEND_API_URL must name this backend, whose log must be at level info"
        return warned("\n".join(part for part in (said, found.last_error) if part), fix)
    if not found.failed:
        return passed(said) if not found.last_error else warned(f"{said}\nlast error: {found.last_error}", "see there")
    detail = "\n".join(
        part
        for part in (
            f"{said}, {found.server_errors} of these 5xx, {found.not_stored} to store something",
            f"last: {found.last_failed}",
            f"last error: {found.last_error}" if found.last_error else "",
        )
        if part
    )
    fix = "5xx: look at the backend and its database; 4xx: at what the workflow sends, its address and its token"
    return failed(detail, fix) if found.not_stored or found.server_errors else warned(detail, fix)


def _read(log: Path) -> Requests:
    with log.open(encoding="utf-8", errors="replace") as lines:
        return read_requests(lines)
