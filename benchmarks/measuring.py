"""All measurements that are wanted, one after the other; what goes wrong in one of them costs the others nothing."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.bench import Bench, Measure
from benchmarks.measurement import Row
from harness.errors import HarnessError, SetUpError
from harness.runtime.docker.engine import Engine


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A measurement without figures.

    Args:
        name: the measurement.
        why: in a line.
        evidence: further lines, where there are any.
    """

    name: str
    why: str
    evidence: str = ""


@dataclass(slots=True)
class Measured:
    """What came of it all.

    Args:
        rows: the figures.
        left_out: what this machine cannot measure.
        failed: what broke off.
    """

    rows: list[Row] = field(default_factory=list)
    left_out: list[NotMeasured] = field(default_factory=list)
    failed: list[NotMeasured] = field(default_factory=list)


def why_no_engine() -> str | None:
    """None where an engine answers; else why what needs one cannot be measured."""
    try:
        Engine.find().close()
    except SetUpError as cause:
        return str(cause)
    return None


def measurable(names: Sequence[str], need_engine: frozenset[str], measured: Measured) -> list[str]:
    """Those of the names that this machine can measure; the others are noted as left out.

    Args:
        names: the measurements that are wanted.
        need_engine: those that run containers.
        measured: where the others are noted.
    """
    reason = why_no_engine() if need_engine & set(names) else None
    if reason is None:
        return list(names)
    measured.left_out += [NotMeasured(name, reason) for name in names if name in need_engine]
    return [name for name in names if name not in need_engine]


async def measure_all(bench: Bench, measures: Mapping[str, Measure], measured: Measured) -> None:
    """Measure, and note each part's figures, or its failure, as soon as it is over.

    Args:
        bench: what they share; it is closed at the end.
        measures: by name, in their order.
        measured: where it is noted: what was measured stands there also when this is broken off.
    """
    try:
        async with bench:
            for name, measure in measures.items():
                try:
                    measured.rows += await measure(bench)
                except HarnessError as cause:
                    measured.failed.append(NotMeasured(name, str(cause), cause.evidence))
                # Any error: hours of other figures are not to be lost by it.
                except Exception as cause:  # noqa: BLE001
                    why = f"{type(cause).__name__}: {cause}".splitlines()[0]
                    measured.failed.append(NotMeasured(name, why, traceback.format_exc()))
    except HarnessError as cause:
        measured.failed.append(NotMeasured("the end of the shared stack", str(cause), cause.evidence))
    finally:
        bench.progress.done()
