"""Nothing but the stack's own services is ever asked, written to or emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drill.clients import own_address
from harness.errors import StackError, UnsafeTarget
from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.stack.stack import load_stack

PROJECT = Path(__file__).parents[2]
COMPOSE = """\
services:
  Db: {image: postgres}
  api: {image: api}
x-harness:
  links: ["api -> Db:5432"]
  adapters:
    workload: {wait: {for_s: 1}}
    database: {dsn: "DSN"}
"""


def unstarted(home: Path, session: Session) -> LocalStack:
    """The stack, which does not run."""
    (home / "compose.yml").write_text(COMPOSE.replace("DSN", "postgresql://Db:5432/x"))
    toxiproxy = find_or_build(cache_directory(PROJECT))
    return LocalStack(load_stack(home / "compose.yml", {}), session, toxiproxy=toxiproxy, cache=home)


@pytest.mark.anyio
async def test_address_of_a_service_is_its_real_one(tmp_path: Path) -> None:
    """A service's name and port become the address at which it is reached, around every proxy."""
    async with await Session.open() as session:
        running = unstarted(tmp_path, session)
        host, port = running.address("Db", 5432)
        assert own_address(running, "postgresql://me:p@Db:5432/x") == f"postgresql://me:p@{host}:{port}/x"


@pytest.mark.parametrize(
    "dsn", ["postgresql://prod:5432/x", "postgresql://127.0.0.1:5432/x", "postgresql:///x", "host=prod dbname=x"]
)
def test_database_that_is_not_the_stacks_is_refused(tmp_path: Path, dsn: str) -> None:
    """A database elsewhere, also one on this machine, is refused before anything could be emptied."""
    (tmp_path / "compose.yml").write_text(COMPOSE.replace("DSN", dsn))
    with pytest.raises(
        UnsafeTarget, match=r"compose.yml:8: x-harness.adapters.database.dsn: names .* there are: Db, api"
    ):
        load_stack(tmp_path / "compose.yml", {})


@pytest.mark.anyio
async def test_port_that_nothing_tells_of_is_told(tmp_path: Path) -> None:
    """A port that is in no link cannot be reached, and says so."""
    async with await Session.open() as session:
        running = unstarted(tmp_path, session)
        with pytest.raises(StackError, match="nothing there says that api listens on 9999"):
            own_address(running, "http://api:9999/")
