"""Whether enough runs succeeded, and how long they took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.plan import LoadPlan
from harness.load.result import LoadResult
from harness.report.percentile import percentile
from tests.load.conftest import bad, good


def result(succeeded: int, failed: int, *, runs: int | None = None, threshold: float = 1.0) -> LoadResult:
    """A load with so many runs of each kind."""
    records = [*(good(number, number + 1.0) for number in range(succeeded)), *(bad(number) for number in range(failed))]
    return LoadResult(LoadPlan(runs=runs or len(records), success_threshold=threshold), tuple(records))


@pytest.mark.parametrize(
    ("succeeded", "failed", "threshold", "met"),
    [
        (5, 0, 1.0, True),
        (4, 1, 1.0, False),
        (4, 1, 0.8, True),
        (7, 3, 0.7, True),
        (29, 71, 0.29, True),
        (28, 72, 0.29, False),
        (0, 5, 0.0, True),
        (0, 5, 0.01, False),
    ],
)
def test_threshold_is_met_when_reached(succeeded: int, failed: int, threshold: float, met: bool) -> None:  # noqa: FBT001 - a row of the table above
    """The share itself is enough, and no rounding helps or hinders."""
    assert result(succeeded, failed, threshold=threshold).met is met


@given(runs=st.integers(1, 200), data=st.data())
def test_threshold_of_a_share_is_met_by_that_share(runs: int, data: st.DataObject) -> None:
    """So many of so many meets the threshold of exactly that share, and one fewer does not."""
    enough = data.draw(st.integers(1, runs))
    assert result(enough, runs - enough, threshold=enough / runs).met
    assert not result(enough - 1, runs - enough + 1, threshold=enough / runs).met


def test_rate_counts_runs_that_were_never_made() -> None:
    """Three good runs of five that were asked for are not enough."""
    assert result(3, 0, runs=5).success_rate == 0.6
    assert not result(3, 0, runs=5).met


def test_times_are_of_runs_that_succeeded() -> None:
    """A run that failed quickly makes nothing look faster."""
    found = result(3, 4)
    assert (found.median_s, found.p95_s, found.longest_s) == (2.0, 3.0, 3.0)


def test_times_are_missing_when_nothing_succeeded() -> None:
    """No figure is better than a wrong one."""
    found = result(0, 2)
    assert (found.median_s, found.p95_s, found.longest_s) == (None, None, None)


@pytest.mark.parametrize(
    ("state", "outcome", "cause"),
    [
        ("success", "degraded", "the system says that the run is degraded"),
        ("success", None, "the system says nothing of the run"),
        ("failed", "success", "Airflow has the run as failed"),
        (None, None, "it had not ended"),
        ("success", "success", "what the system says of the run cannot be read"),
    ],
)
def test_run_succeeds_only_by_both_words(state: str | None, outcome: str | None, cause: str) -> None:
    """Airflow's word and the system's own are both needed."""
    record = good(1).model_copy(update={"state": state, "outcome": outcome, "cause": cause})
    assert not record.succeeded


@pytest.mark.parametrize(("share", "value"), [(0.01, 1), (0.5, 5), (0.95, 10), (0.9, 9), (1.0, 10)])
def test_percentile_is_a_measured_value(share: float, value: float) -> None:
    """Nearest rank: one of ten values, never between two."""
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value
