"""Log lines count as hits only beyond what the same system writes without the fault."""

from __future__ import annotations

import pytest

from harness.drill.base_rate import LineCount


@pytest.mark.parametrize(
    ("under", "under_s", "without", "without_s", "predicted", "beyond"),
    [
        (50, 10, 50, 10, 50, 0),  # written all the time
        (5, 10, 20, 10, 20, 0),  # fewer than usual
        (4, 15, 1, 5, 3, 0),  # rounded up, in as long a time; one more may be chance
        (24, 1, 40, 2, 20, 0),  # a busy machine writes unevenly
        (60, 1, 40, 2, 20, 40),  # no chance explains so many
        (1, 2, 1, 60, 1, 0),  # a part of a line is a line
        (3, 3, 3, 3, 3, 0),
        (7, 4, 0, 10, 0, 7),  # never without the fault
        (0, 4, 0, 10, 0, 0),
        (2, 4, 5, 0, 5, 0),  # a steady run of no length: as many as it had
    ],
)
def test_lines_count_beyond_the_base_rate(
    under: int, under_s: float, without: int, without_s: float, predicted: int, beyond: int
) -> None:
    """Hits are the lines of the window beyond what the steady run predicts for as long a time, and beyond chance."""
    count = LineCount(under=under, under_s=under_s, without=without, without_s=without_s)
    assert (count.predicted, count.beyond) == (predicted, beyond)


def test_both_figures_are_told() -> None:
    """A person sees what was counted, and what was taken off."""
    told = LineCount(under=9, under_s=10, without=2, without_s=5).told()
    assert told.startswith("9 in 10.0 s under it, 4 of which would have been written without it: 2 were in 5.0 s")
