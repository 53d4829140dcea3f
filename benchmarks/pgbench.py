"""PostgreSQL's own load generator, doing the INSERT that the backend does."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

from benchmarks.storage_artifact import ARTIFACT
from fixtures.postgres import binaries
from harness.errors import HarnessError

_RATE = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)


async def rows_per_s(url: str, *, clients: int, rows: int, duration_s: int, folder: Path) -> float:
    """Insert artifacts for as long as is asked.

    Args:
        url: the database, with its table.
        clients: how many insert at once.
        rows: how many each statement inserts.
        duration_s: for how long.
        folder: takes the script.

    Raises:
        HarnessError: pgbench failed, with its own words.
    """
    script = folder / f"insert-{rows}.sql"
    await asyncio.to_thread(script.write_text, _script(rows), encoding="utf-8")
    program = binaries.find().folder / "pgbench"
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--no-vacuum", f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={duration_s}"),
        *(f"--file={script}", url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    rate = _RATE.search(output.decode())
    if process.returncode != 0 or rate is None:
        raise HarnessError("pgbench should have told its rate, and failed", evidence=(output + errors).decode())
    return float(rate.group(1)) * rows


def _script(rows: int) -> str:
    columns = ", ".join([*ARTIFACT, "idempotency_key"])
    artifact = ", ".join(map(_literal, ARTIFACT.values()))
    values = ", ".join(f"({artifact}, lpad((:key + {number})::text, 64, '0'))" for number in range(rows))
    return f"""
        \\set key random(1, 9000000000000000000)
        INSERT INTO artifacts ({columns}) VALUES {values} ON CONFLICT (idempotency_key) DO NOTHING RETURNING *;
    """  # noqa: S608 - the values are our own


def _literal(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"
