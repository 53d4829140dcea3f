"""A process that is killed at any line: what was acknowledged is stored, exactly once, after the next try."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.trading.parts import Parts, new_run
from tests.trading.process import free_port
from tests.trading.storing_tries import Storer, an_order, storer
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

pytestmark = pytest.mark.sweep
SetUp = Callable[..., WorkflowSettings]

_LINES_MIN = 50
_LINES_MAX = 1000
_WAITING = 2


@pytest.fixture(scope="module")
def process() -> Iterator[Storer]:
    """A process that stores and replays."""
    with storer() as each:
        yield each


def kill_at_every_line(lives: Callable[[int], object]) -> int:
    """Kill at the first line, then at the second, and so on until the work comes to its end; return its last line."""
    for line in range(1, _LINES_MAX):
        if lives(line):
            assert line > _LINES_MIN, f"only {line} lines could be killed at: which code is under test?"
            return line
    raise AssertionError(f"it is still killed at line {_LINES_MAX}")


@pytest.mark.parametrize("backend_is_up", [False, True])
def test_storing_killed_at_any_line_stores_once_when_tried_again(
    parts: Parts, set_up: SetUp, process: Storer, *, backend_is_up: bool
) -> None:
    """Tasks killed at every line of storing, then run again: one row each, with the backend up or down."""
    run = new_run()
    url = parts.backend_url if backend_is_up else f"http://127.0.0.1:{free_port()}"
    settings = set_up(backend_api_url=url, artifact_attempts=1)
    last = kill_at_every_line(lambda line: process.do(settings, an_order(run, f"line {line}"), dies_at=line))
    artifacts = [an_order(run, f"line {line}") for line in range(1, last)]
    assert len(process.do(settings, *artifacts)) == len(artifacts)
    (replayed,) = process.do(set_up())
    assert replayed["left"] == replayed["dead"] == 0
    assert sorted(parts.artifacts(run)) == sorted([artifact.name for artifact in artifacts] + [f"line {last}"])


def test_replay_killed_at_any_line_stores_once_when_done_again(parts: Parts, set_up: SetUp, process: Storer) -> None:
    """Replays killed at every line, then one that is not: each artifact once, in the order of their making."""
    run = new_run()
    names: list[str] = []
    settings = set_up()
    with Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes) as spool:

        def lives(line: int) -> object:
            if spool.waiting_count() < _WAITING:
                artifact = an_order(run, f"line {line}")
                names.append(artifact.name)
                key, body = artifact.idempotency_key, artifact.body()
                spool.add(key=key, execution_id=run, name=artifact.name, body=body, cause="refused")
            return process.do(settings, dies_at=line)

        kill_at_every_line(lives)
        assert spool.waiting() == []
    assert parts.artifacts(run) == names
