"""A service that is only there to do something once may end: its end is no news, and its failure is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from harness.history.events import Event, ServiceEnded
from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.waiting import until
from harness.stack.stack import load_stack

PROJECT = Path(__file__).parents[2]
# It ends once there is a file, with the exit code that stands in it.
WAITS = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nsys.exit(int(sys.argv[2]))"
COMPOSE = """\
services:
  helper: {RESTART, x-harness: {run: [python, "{project}/waits.py", "{project}/end", "CODE"]}}
  client:
    DEPENDS
    x-harness: {run: [python, -c, "import time; time.sleep(600)"]}
x-harness:
  links: [LINKS]
  adapters: {workload: {wait: {for_s: 1}}}
"""


def told_of(
    home: Path, changed: Mapping[str, str] = MappingProxyType({}), *, code: int = 0, steady: bool = False
) -> list[Event]:
    """What a listener hears when the helper ends."""
    text = COMPOSE
    for old, new in (*changed.items(), ("RESTART", "init: true"), ("DEPENDS", "depends_on: [helper]"), ("LINKS", "")):
        text = text.replace(old, new)
    (home / "compose.yml").write_text(text.replace("CODE", str(code)))
    (home / "waits.py").write_text(WAITS)
    heard: list[Event] = []

    async def end_helper() -> None:
        async with await Session.open() as session:
            stack = load_stack(home / "compose.yml", {})
            running = LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=home)
            await running.start()
            running.notices.listener = heard.append
            running.notices.steady = steady
            (home / "end").touch()
            helper, client = running.service("helper"), running.service("client")
            await until(lambda: not helper.runs, what="the helper to end", deadline_s=10)
            await client.process.kill()
            await until(
                lambda: any(isinstance(event, ServiceEnded) and event.service == "client" for event in heard),
                what="the end of the client to be told, which came after it",
                deadline_s=10,
            )
            await running.close()

    asyncio.run(end_helper())
    return [event for event in heard if isinstance(event, ServiceEnded) and event.service == "helper"]


def test_job_that_is_done_before_the_steady_state_is_no_news(tmp_path: Path) -> None:
    """A helper that others only wait for to be started has ended well: nothing is wrong."""
    assert told_of(tmp_path) == []


@pytest.mark.parametrize(
    "otherwise",
    [
        {"DEPENDS": "init: true"},
        {"LINKS": "client -> helper:8000"},
        {"RESTART": "restart: always"},
        {"DEPENDS": "depends_on: {helper: {condition: service_healthy}}"},
    ],
    ids=["none depends on it", "a link leads to it", "it should be up always", "it should be healthy"],
)
def test_service_that_ends_though_it_should_stay_is_told(tmp_path: Path, otherwise: dict[str, str]) -> None:
    """What no file shows to be a job ends to the drill's notice, with exit code 0 as well."""
    assert len(told_of(tmp_path, otherwise)) >= 1


def test_job_that_failed_is_told(tmp_path: Path) -> None:
    """A helper that could not do its work is news."""
    assert len(told_of(tmp_path, code=1)) == 1


def test_service_that_ends_after_the_steady_state_is_told(tmp_path: Path) -> None:
    """What was at work in the steady state and ends under a fault, ends because of it, with exit code 0 as well."""
    assert len(told_of(tmp_path, steady=True)) == 1


def test_job_that_the_file_names_may_end_at_any_time(tmp_path: Path) -> None:
    """`ready: {done: true}` has it awaited, and its end is never news."""
    (tmp_path / "end").touch()
    done = {"RESTART, x-harness: {": "x-harness: {ready: {done: true}, "}
    assert told_of(tmp_path, done, steady=True) == []
