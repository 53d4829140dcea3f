"""Locust as a process of its own, which ends with the session, also when the harness is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.errors import DeadlineExceeded, HarnessError
from harness.load.job import LoadJob, RunRecord
from harness.runtime.logs import tail
from harness.runtime.running import RunningStack
from harness.runtime.session.process_tree import DIRECTORY_VARIABLE, SESSION_VARIABLE

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOG = "locust.log"
_PASSED_ON = ("PATH", "LANG", "TZ")
_POLL_S = 0.05
# What there is beside a run's own limit: Locust's start and end, a run's start, its giving up, its outcome's reading.
_BESIDE_S = 60.0
_GRACE_S = 3.0


async def run_locust(
    running: RunningStack, job: LoadJob, *, url: str, directory: Path, on_record: Callable[[RunRecord], object]
) -> tuple[RunRecord, ...]:
    """Have Locust do a job, and read its records as they come.

    Args:
        running: the stack; the process bears the marks of its session, and so ends with it.
        job: what to do.
        url: where Airflow's API is.
        directory: where Locust's own report and output go.
        on_record: is told of each run.

    Raises:
        HarnessError: Locust ended before the last run; the evidence is its last output.
        DeadlineExceeded: it gave no sign of life for longer than a run may take.
    """
    job_file = running.directory / "load-job.json"
    with os.fdopen(os.open(job_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(job.model_dump_json())
    with (directory / LOG).open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_command(job_file, url, directory),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(running),
            # Locust reads configuration from the directory where it runs: here there is none.
            cwd=directory,
            # Ctrl-C at a terminal is for the harness, which ends Locust in order.
            start_new_session=True,
        )
    try:
        return await _follow(process, job, directory / LOG, on_record)
    finally:
        await _end(process)
        job_file.unlink(missing_ok=True)


def _command(job_file: Path, url: str, directory: Path) -> list[str]:
    program = [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--headless", "--users", "1"]
    reports = ["--only-summary", "--csv", str(directory / "locust"), "--html", str(directory / "locust.html")]
    # Whether enough runs succeeded is not for Locust to say: its exit code tells only of trouble of its own.
    return [*program, *reports, "--exit-code-on-error", "0", "--host", url, "--job", str(job_file)]


def _environment(running: RunningStack) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    marks = {SESSION_VARIABLE: running.session_id, DIRECTORY_VARIABLE: str(running.directory)}
    # It looks for configuration in the home directory too.
    return passed_on | marks | {"HOME": str(running.directory), "TMPDIR": str(running.directory / "tmp")}


async def _follow(
    process: asyncio.subprocess.Process, job: LoadJob, log: Path, on_record: Callable[[RunRecord], object]
) -> tuple[RunRecord, ...]:
    told = 0
    heard_at_s = time.monotonic()
    while True:
        ended = process.returncode is not None
        records = read_records(job.records)
        for record in records[told:]:
            on_record(record)
            told, heard_at_s = told + 1, time.monotonic()
        if ended:
            break
        patience_s = job.plan.run_limit_s + _BESIDE_S
        if time.monotonic() - heard_at_s > patience_s:
            raise DeadlineExceeded(
                f"Locust gave no sign of life for {patience_s:g} s, after {told} of {job.plan.runs} runs",
                evidence=tail(log),
            )
        await asyncio.sleep(_POLL_S)
    if process.returncode != 0 or told < job.plan.runs:
        raise HarnessError(
            f"Locust ended with code {process.returncode} after {told} of {job.plan.runs} runs; its last output:",
            evidence=tail(log),
        )
    return records


def read_records(path: Path) -> tuple[RunRecord, ...]:
    """The records that are whole; the last line may still be on its way."""
    if not path.exists():
        return ()
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return tuple(RunRecord.model_validate_json(line) for line in whole.splitlines())


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)
    if process.returncode is None:
        process.kill()
        await process.wait()
