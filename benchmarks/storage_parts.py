"""The parts that storing is measured on: a Postgres and a backend of their own, without the rest of the stack."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from harness.errors import DeadlineExceeded
from harness.runtime.session.ports import PortBlock, PortRange

_READY_S = 60.0
_STOP_S = 10.0
_POLL_S = 0.1
_LOGIN = {"POSTGRES_USER": "ibkr_user", "POSTGRES_PASSWORD": "bench", "POSTGRES_DB": "ibkr_trading"}


@dataclass(frozen=True, slots=True)
class StorageParts:
    """What runs.

    Args:
        database_url: the database, with the backend's tables.
        backend_port: where the artifacts API listens.
        folder: may be written to.
    """

    database_url: str
    backend_port: int
    folder: Path


@asynccontextmanager
async def running_storage() -> AsyncIterator[StorageParts]:
    """Run both for as long as the block lasts.

    Raises:
        DeadlineExceeded: they were not ready in time; with what they wrote.
    """
    folder = _new_folder()
    try:
        with closing(PortBlock.claim(PortRange.from_environment())) as ports:
            database, backend = ports.take(), ports.take()
            url = f"postgresql://ibkr_user:bench@127.0.0.1:{database}/ibkr_trading"
            postgres = ["fixtures.postgres", "--port", str(database), "--data", str(folder / "data")]
            api = ["uvicorn", "trading.backend.app:create_app", "--factory", "--port", str(backend), "--no-access-log"]
            settings = {"DATABASE_URL": url, "CHART_DIR": str(folder)}
            async with (
                _running(postgres, folder / "postgres.log", _LOGIN),
                _running(api, folder / "backend.log", settings),
            ):
                await _until_ready(f"http://127.0.0.1:{backend}/health/ready", folder)
                yield StorageParts(url, backend, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    # As root, Postgres drops to a user who must reach its data.
    folder = Path(tempfile.mkdtemp(prefix="bench-storage-"))
    folder.chmod(0o755)
    return folder


def _logs(folder: Path) -> str:
    return "\n".join(log.read_text(errors="replace") for log in sorted(folder.glob("*.log")))


@asynccontextmanager
async def _running(module: list[str], log: Path, environment: Mapping[str, str]) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *module), stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until_ready(url: str, folder: Path) -> None:
    gives_up_s = time.monotonic() + _READY_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                (await client.get(url)).raise_for_status()
            except httpx.HTTPError as error:
                if time.monotonic() > gives_up_s:
                    what = f"the backend should be ready at {url}, and was not after {_READY_S:g} s: {error}"
                    raise DeadlineExceeded(what, evidence=_logs(folder)) from error
                await asyncio.sleep(_POLL_S)
            else:
                return
