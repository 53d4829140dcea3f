"""Where the workflow's code silences exceptions: what fails there fails unseen."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings

FIX = "catch the exception that is meant, and log it or raise it on; or say why not: # noqa: BLE001 - the reason"
# Of ruff: a bare except, a blind one, and those that pass or continue.
RULES = ("E722", "BLE001", "S110", "S112")
_SHOWN = 5
_FOUND_NONE, _FOUND_SOME = 0, 1


class _Place(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    row: int


class _Violation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    # None of a file that cannot be parsed.
    code: str | None
    filename: str
    location: _Place
    message: str


async def examine(at: Surroundings) -> Finding:
    """Have ruff look through the code."""
    code = ", ".join(map(str, at.code))
    missing = [str(path) for path in at.code if not path.exists()]
    if missing:
        return failed(f"there is no {', '.join(missing)}", "name the workflow's code: --code PATH")
    ruff = _ruff()
    if ruff is None:
        return warned(
            f"{code} was not looked through: there is no ruff", f"{Path(sys.executable).name} -m pip install ruff"
        )
    status, output, error = await _run(ruff, at.code)
    if status not in {_FOUND_NONE, _FOUND_SOME}:
        return warned(f"ruff ended with {status}: {error[-300:]}", "run ruff check by hand")
    found = TypeAdapter(list[_Violation]).validate_json(output)
    if not found:
        return passed(f"none in {code} ({', '.join(RULES)})")
    lines = [f"{each.filename}:{each.location.row} {each.code or 'syntax'} {each.message}" for each in found[:_SHOWN]]
    lines += [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return failed("\n".join([f"{len(found)} in {code}", *lines]), FIX)


def _ruff() -> str | None:
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("ruff")


async def _run(ruff: str, code: Sequence[Path]) -> tuple[int | None, bytes, str]:
    # A project's own choice of rules must not hide these.
    arguments = ("check", "--isolated", "--no-cache", "--select", ",".join(RULES), "--output-format", "json")
    process = await asyncio.create_subprocess_exec(
        ruff, *arguments, *map(str, code), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output, error.decode(errors="replace").strip()
