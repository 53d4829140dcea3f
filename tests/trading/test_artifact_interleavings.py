"""Any interleaving of storing, killing, replaying and outages over two processes: acknowledged is stored, once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.trading.parts import Parts, new_run
from tests.trading.relay import Relay, relay_to
from tests.trading.storing_tries import Storer, an_order, storer
from trading.workflow.settings import WorkflowSettings

# Few, so that the same artifact is often stored again, by the same process or by the other.
NAMES = st.sampled_from([f"order {number}" for number in range(6)])
# Most work has some 120 lines; 0 is for no death.
DEATHS = st.one_of(st.just(0), st.integers(1, 150))
WHO = st.sampled_from([0, 1])
# Long enough for all that waits, if the backend is up.
REPLAY_S = 0.4


class Surroundings(NamedTuple):
    """What every example works with.

    Args:
        parts: the running parts.
        relay: in front of the backend.
        processes: two that store and replay.
        folder: of the spools.
    """

    parts: Parts
    relay: Relay
    processes: tuple[Storer, Storer]
    folder: Path


class Interleavings(RuleBasedStateMachine):
    """Stores, kills, replays and outages in any order, and what must be left of them at the end."""

    surroundings: ClassVar[Surroundings]

    def __init__(self) -> None:
        super().__init__()
        self.parts, self.relay, self.processes, folder = self.surroundings
        self.run = new_run()
        self.tried: dict[str, set[str]] = {}
        self.acknowledged: set[str] = set()
        self.settings = WorkflowSettings.model_validate(
            {
                "backend_api_url": f"http://127.0.0.1:{self.relay.port}",
                "database_url": self.parts.database_url,
                "artifact_spool_dir": folder / self.run,
                "artifact_attempts": 1,
            }
        )
        self._contents = itertools.count(1)

    def _begin(self, who: int, name: str, dies_at: int = 0) -> None:
        content = f"try {next(self._contents)}"
        self.tried.setdefault(name, set()).add(content)
        self.processes[who].start(self.settings, an_order(self.run, name, content), dies_at=dies_at)

    def _end(self, who: int, name: str) -> None:
        if self.processes[who].end():
            self.acknowledged.add(name)

    @rule(who=WHO, name=NAMES, dies_at=DEATHS)
    def store(self, who: int, name: str, dies_at: int) -> None:
        """One process stores, and may be killed at it."""
        self._begin(who, name, dies_at)
        self._end(who, name)

    @rule(names=st.tuples(NAMES, NAMES), dies_at=DEATHS)
    def store_at_once(self, names: tuple[str, str], dies_at: int) -> None:
        """Both processes store at the same time, perhaps the same, and one may be killed at it."""
        for who, name in enumerate(names):
            self._begin(who, name, dies_at if who else 0)
        for who, name in enumerate(names):
            self._end(who, name)

    @rule(who=WHO, name=NAMES, dies_at=DEATHS)
    def replay(self, who: int, name: str, dies_at: int) -> None:
        """One process replays, and may be killed at it, while the other stores."""
        self.processes[who].start(self.settings, dies_at=dies_at, replay_s=REPLAY_S)
        self._begin(1 - who, name)
        self.processes[who].end()
        self._end(1 - who, name)

    @rule()
    def replay_at_once(self) -> None:
        """Both processes replay at the same time."""
        for process in self.processes:
            process.start(self.settings, replay_s=REPLAY_S)
        for process in self.processes:
            process.end()

    @rule()
    def begin_outage(self) -> None:
        """The backend refuses connections from now on."""
        self.relay.cut(refuse=True)

    @rule()
    def end_outage(self) -> None:
        """The backend takes connections again."""
        self.relay.restore()

    @rule(forward=st.booleans())
    def lose(self, *, forward: bool) -> None:
        """The next request, or its answer, is lost with its connection."""
        self.relay.set_trap(b"POST ", forward=forward)

    def teardown(self) -> None:
        """Heal everything, replay, and compare."""
        self.relay.set_trap(b"nothing of the kind", forward=True)
        self.relay.restore()
        (outcome,) = self.processes[0].do(self.settings)
        assert (outcome["dead"], outcome["left"], outcome["problem"]) == (0, 0, "")
        rows = self.parts.rows("SELECT name, metadata FROM artifacts WHERE execution_id = %s", self.run)
        count = Counter(row["name"] for row in rows)
        assert set(count.values()) <= {1}, f"stored more than once: {count}"
        assert self.acknowledged <= set(count), f"acknowledged and lost: {self.acknowledged - set(count)}"
        made_up = [row for row in rows if row["metadata"]["is"] not in self.tried.get(row["name"], set())]
        assert not made_up, f"stored, and no client tried to: {made_up}"


@pytest.fixture(scope="module")
def surroundings(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """A relay in front of the backend, and two processes."""
    port = int(parts.backend_url.rsplit(":", 1)[1])
    with relay_to(port) as relay, storer() as first, storer() as second:
        yield Surroundings(parts, relay, (first, second), tmp_path_factory.mktemp("spools"))


def test_artifacts_acknowledged_are_stored_once_in_any_interleaving(surroundings: Surroundings) -> None:
    """Acknowledged means stored, exactly once, and nothing else is stored."""
    Interleavings.surroundings = surroundings
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
