"""No artifact that the workflow produced is lost, none is stored twice, and each belongs to its run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.checks.check import Check
from harness.checks.finding import Case, Finding, Weight
from harness.history.events import TaskChanged
from harness.history.reads import ArtifactRow, RunRead
from harness.stack.adapters import ArtifactsAdapter

NAME = "artifacts-once"
Wanted = Counter[tuple[str, str, str | None]]


def artifacts_once(case: Case) -> Sequence[Finding]:
    """Compare what each task that ended well must have left with the rows that SQL, or the artifacts' API, finds."""
    adapter = case.adapters.artifacts
    if adapter is None:
        return []
    findings = [*_orphans(case, adapter)]
    for run in case.reads.runs.values():
        rows = [row for row in case.reads.artifacts if row.execution_id == run.run_id]
        findings += [*_lost(case, adapter, run, rows), *_doubled(case, adapter, run, rows)]
    return findings


def _witness(adapter: ArtifactsAdapter) -> str:
    return "the artifacts' API" if adapter.http else "SQL"


def _lost(case: Case, adapter: ArtifactsAdapter, run: RunRead, rows: list[ArtifactRow]) -> Iterator[Finding]:
    stored: Wanted = Counter((row.task_id or "", row.type, row.symbol) for row in rows)
    for (task, kind, symbol), count in _must_be_stored(adapter, run).items():
        found = stored[task, kind, symbol]
        if found < count:
            what = f"{kind} {symbol}" if symbol else kind
            yield Finding(
                check=NAME,
                weight=Weight.SAFETY,
                title="an artifact was lost",
                expected=f"{what} of task {task} in run {run.run_id} stored {_times(count)}",
                found=f"{found} rows in artifacts ({_witness(adapter)}), although {_reported(case, run, task)}",
                see=_where(case, run, task),
            )


def _must_be_stored(adapter: ArtifactsAdapter, run: RunRead) -> Wanted:
    ended_well = {task.task_id for task in run.tasks if task.state == "success"}
    wanted: Wanted = Counter()
    # In the order of the workflow, so that the first finding is the first loss.
    for task in (name for name in (*adapter.per_symbol, *adapter.per_run) if name in ended_well):
        for kind in adapter.per_symbol.get(task, []):
            wanted.update((task, kind, symbol) for symbol in run.symbols)
        wanted.update((task, kind, None) for kind in adapter.per_run.get(task, []))
    return wanted


def _doubled(case: Case, adapter: ArtifactsAdapter, run: RunRead, rows: list[ArtifactRow]) -> Iterator[Finding]:
    witness = _witness(adapter)
    for row, count in Counter(rows).items():
        if count > 1:
            yield Finding(
                check=NAME,
                weight=Weight.SAFETY,
                title="an artifact was stored twice",
                expected=f"{row.type} '{row.name}' of task {row.task_id} in run {run.run_id} stored once",
                found=f"{count} rows in artifacts ({witness})",
                see=_where(case, run, row.task_id or ""),
            )
    known = {*adapter.per_symbol, *adapter.per_run}
    for row in rows if known else ():
        if row.task_id not in known or (row.symbol is not None and row.symbol not in run.symbols):
            yield Finding(
                check=NAME,
                weight=Weight.SAFETY,
                title="an artifact is not of its run",
                expected=f"artifacts of run {run.run_id} come from its tasks, for {', '.join(run.symbols)}",
                found=f"{row.type} '{row.name}' of task {row.task_id!r} for symbol {row.symbol!r} ({witness})",
            )


def _orphans(case: Case, adapter: ArtifactsAdapter) -> Iterator[Finding]:
    for row in case.reads.artifacts:
        if row.execution_id not in case.reads.runs:
            yield Finding(
                check=NAME,
                weight=Weight.SAFETY,
                title="an artifact belongs to no run",
                expected=f"every artifact bears one of the runs {', '.join(case.reads.runs)}",
                found=f"{row.type} '{row.name}' bears {row.execution_id!r} ({_witness(adapter)})",
            )


def _reported(case: Case, run: RunRead, task: str) -> str:
    for entry, event in case.history.of(TaskChanged):
        if (event.run, event.task, event.state) == (run.run_id, task, "success"):
            return f"the task had ended well at +{entry.at_s:.1f} s"
    return "the task ended well"


def _where(case: Case, run: RunRead, task: str) -> str:
    entries = [entry for entry, event in case.history.of(TaskChanged) if (event.run, event.task) == (run.run_id, task)]
    lines = case.history.lines(entries[0], entries[-1]) if entries else "history.jsonl"
    return f"{lines} · logs/tasks/{run.run_id}/{task}.log"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


CHECK = Check(
    name=NAME,
    judge=artifacts_once,
    holds_when="every artifact of every task that ended well is stored once, in its own run",
    witness="SQL, Airflow's API",
    needs=("artifacts",),
)
