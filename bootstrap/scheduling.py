"""Which worker runs which test: what takes long begins first, and a stack that a worker keeps up is used by it again.

A unit is what one worker runs in one go: a file, so that its fixtures are made once; a whole folder; or a single test
of a file whose tests have nothing in common. Drills on the reference stack come last, one by one: a worker boots a
stack for the first and keeps it, so that none stands about idle (which costs a fifth of a core) while there is other
work.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Mapping

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Files whose tests have no fixture in common that takes long to make: each of them is a unit.
SPREAD = (
    "tests/drill/test_interference.py",
    "tests/drill/test_daemon_stack.py",
    "tests/drill/test_saboteurs.py",
    "tests/foreign/test_payments_slow.py",
    "tests/load/test_stack.py",
)
# Folders that one worker takes whole: two of them would build the same images at once.
TOGETHER = ("tests/images/",)
# Drills on a stack that a worker keeps up, by what the stack is.
KEPT: Mapping[str, re.Pattern[str]] = {
    "local": re.compile(r"features/|tests/drill/test_both_runtimes\.py::.*\[local-"),
    "docker": re.compile(r"tests/drill/test_both_runtimes\.py::.*\[docker-"),
}
# Seconds that a unit takes with others beside it, where that is much: a hint, for the order alone.
EXPECTED_S: Mapping[str, float] = {
    "tests/airflow/test_parts_slow.py": 60,
    "tests/daemon/test_stack_that_is_up.py": 60,
    "tests/drill/test_attach.py": 110,
    "tests/drill/test_sudden_death.py": 180,
    "tests/faults/test_effects.py": 120,
    "tests/faults/test_in_containers.py": 150,
    "tests/ibkr_gateway/test_arbitrary_bytes.py": 40,
    "tests/trading/doctor/test_doctor_airflow_slow.py": 60,
    "tests/trading/test_backend_outage.py": 60,
    "tests/trading/test_dag_in_airflow_slow.py": 80,
    "tests/trading/test_order_faults.py": 60,
    "tests/trading/test_order_kill_sweep.py": 70,
    "tests/trading/test_preflight_gateway.py": 45,
    "tests/trading/test_spool_crashes.py": 50,
}
_SECONDS_A_TEST = 0.5
# So many drills for each worker must be left on a stack for one more of them to be booted, which takes as long as one.
_WORTH_A_BOOT = 2


def unit_of(nodeid: str) -> str:
    """The unit that a test belongs to.

    Args:
        nodeid: the test, as pytest names it.
    """
    file = nodeid.split("::", maxsplit=1)[0]
    if file in SPREAD or kept_stack_of(nodeid) is not None:
        return nodeid
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def kept_stack_of(unit: str) -> str | None:
    """The kept stack that a unit's drill runs on, if it is one."""
    return next((stack for stack, drills in KEPT.items() if drills.match(unit)), None)


class StackScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist does not tell its types
    """Hands out units: the longest first, and in the end the drills on kept stacks."""

    # The units that wait, and those that each worker was given, with their tests and whether those have run.
    workqueue: OrderedDict[str, dict[str, bool]]
    assigned_work: dict[WorkerController, dict[str, dict[str, bool]]]

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(self._choose(node), last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        # One more test than runs now is what a worker has to know of. The scheduler's own rule is two, and the second
        # of them could be a drill for which another worker has been waiting.
        if self.workqueue and self._pending_of(self.assigned_work[node]) > 1:
            return
        if self.workqueue and not node.shutting_down and self._is_done(node):
            node.shutdown()
            return
        super()._reschedule(node)

    def _is_done(self, node: WorkerController) -> bool:
        """Whether a worker that has a stack would boot another for no more than a drill or two."""
        left = Counter(kept_stack_of(unit) for unit in self.workqueue)
        own = self._stack_of(node)
        if own is None or own in left or None in left:
            return False
        workers = Counter(self._stack_of(other) for other in self.assigned_work if not other.shutting_down)
        # A stack that no worker has is booted, for however few.
        return all(workers[stack] and left[stack] < _WORTH_A_BOOT * (workers[stack] + 1) for stack in left)

    def _choose(self, node: WorkerController) -> str:
        others = [unit for unit in self.workqueue if kept_stack_of(unit) is None]
        if others:
            return max(others, key=self._expected_s)
        stack = self._stack_for(node)
        return next(unit for unit in self.workqueue if kept_stack_of(unit) == stack)

    def _expected_s(self, unit: str) -> float:
        return EXPECTED_S.get(unit, _SECONDS_A_TEST * len(self.workqueue[unit]))

    def _stack_for(self, node: WorkerController) -> str | None:
        """The stack that a worker has, or the one with the most drills for each worker that would have it then."""
        left = Counter(kept_stack_of(unit) for unit in self.workqueue)
        has = {other: self._stack_of(other) for other in self.assigned_work}
        if (own := has[node]) in left and own is not None:
            return own
        workers = Counter(has.values())
        return max(left, key=lambda stack: left[stack] / (workers[stack] + 1))

    def _stack_of(self, node: WorkerController) -> str | None:
        """The stack of the drill that a worker was given last."""
        stacks = (kept_stack_of(unit) for unit in reversed(self.assigned_work[node]))
        return next((stack for stack in stacks if stack is not None), None)
