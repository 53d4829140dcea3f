"""No artifact that the workflow produced is lost, doubled or another; each belongs to its run.

The steady run is the oracle: from it one knows, without a list written by hand, which artifacts with which contents
belong to a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.checks.artifact_contents import contents
from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.checks.twin import Key, key_of, keys_of
from harness.history.events import TaskChanged
from harness.history.reads import ArtifactRow, RunRead
from harness.stack.adapters import ArtifactsAdapter

NAME = "artifacts-once"


def artifacts_once(case: Case) -> Sequence[Finding]:
    """Compare what each run has left with what its tasks must leave, and with what the steady run has left."""
    adapter = case.adapters.artifacts
    if adapter is None or not case.was_read("artifacts"):
        return []
    witness = "the artifacts' API" if adapter.http else "SQL"
    findings = [*_of_no_run(case, witness)]
    for run in case.reads.runs.values():
        rows = case.artifacts_by_run.get(run.run_id, ())
        findings += _lost(case, adapter, run, rows, witness)
        findings += _others(case, adapter, run, rows, witness)
        findings += _doubled(case, run, rows, witness)
        findings += contents(case, run, rows, NAME)
    return findings


def _lost(
    case: Case, adapter: ArtifactsAdapter, run: RunRead, rows: Sequence[ArtifactRow], witness: str
) -> Iterator[Finding]:
    stored = Counter((row.task_id, row.type, row.symbol) for row in rows)
    told: set[tuple[str | None, str, str | None]] = set()
    for (task, kind, symbol), count in _must_be_stored(adapter, run).items():
        if stored[task, kind, symbol] < count:
            told.add((task, kind, symbol))
            found = f"{_rows(stored[task, kind, symbol])} ({witness}), although {_reported(case, run, task)}"
            yield _finding(case, run, "an artifact was lost", _stored((task, kind, symbol), run, count), found)
    if case.steady is None or run is case.steady or case.word_of(run) != "success":
        return
    mine = keys_of(rows, run.run_id)
    for key, count in keys_of(case.artifacts_by_run.get(case.steady.run_id, ()), case.steady.run_id).items():
        if mine[key] < count and key[:3] not in told:
            found = f"{_rows(mine[key])} ({witness}), although the run says success, and the steady run has stored it"
            yield _finding(case, run, "an artifact was lost", _stored(key[:3], run, count), found)


def _must_be_stored(adapter: ArtifactsAdapter, run: RunRead) -> Counter[tuple[str, str, str | None]]:
    ended_well = {task.task_id for task in run.tasks if task.state == "success"}
    wanted: Counter[tuple[str, str, str | None]] = Counter()
    # In the order of the workflow, so that the first finding is the first loss.
    for task in (name for name in (*adapter.per_symbol, *adapter.per_run) if name in ended_well):
        for kind in adapter.per_symbol.get(task, []):
            wanted.update((task, kind, symbol) for symbol in run.symbols)
        wanted.update((task, kind, None) for kind in adapter.per_run.get(task, []))
    return wanted


def _doubled(case: Case, run: RunRead, rows: Sequence[ArtifactRow], witness: str) -> Iterator[Finding]:
    for row, count in Counter(rows).items():
        if count > 1:
            expected = f"{_named(key_of(row, run.run_id), run)} stored once"
            yield _finding(case, run, "an artifact was stored twice", expected, f"{_rows(count)} ({witness})")
    if case.steady is None or run is case.steady:
        return
    twin = keys_of(case.artifacts_by_run.get(case.steady.run_id, ()), case.steady.run_id)
    for key, count in keys_of(set(rows), run.run_id).items():
        if count > twin[key] > 0:
            expected = f"{_named(key, run)} stored {_times(twin[key])}, as in the steady run"
            found = f"{_rows(count)}, with different contents ({witness})"
            yield _finding(case, run, "an artifact was stored twice", expected, found)


def _others(
    case: Case, adapter: ArtifactsAdapter, run: RunRead, rows: Sequence[ArtifactRow], witness: str
) -> Iterator[Finding]:
    """Artifacts that are not of this run, by task, by symbol, by name, or by what the steady run has left."""
    tasks = {*adapter.per_symbol, *adapter.per_run}
    others = case.known_runs - {run.run_id}
    twin = case.steady if case.steady is not run else None
    of_twin = keys_of(case.artifacts_by_run.get(twin.run_id, ()), twin.run_id) if twin else Counter()
    for row in dict.fromkeys(rows):
        key = key_of(row, run.run_id)
        if (tasks and row.task_id not in tasks) or (run.symbols and row.symbol not in (None, *run.symbols)):
            symbols = f", for {', '.join(run.symbols)}" if run.symbols else ""
            expected = f"artifacts of run {run.run_id} come from its tasks{symbols}"
            found = f"{row.type} {row.name!r} of task {row.task_id!r} for symbol {row.symbol!r} ({witness})"
            yield _finding(case, run, "an artifact is not of its run", expected, found, row.task_id)
        elif other := next((each for each in others if each in row.name), None):
            expected = f"what stands in run {run.run_id} was made by it"
            found = f"{row.type} {row.name!r}, which is of run {other} ({witness})"
            yield _finding(case, run, "an artifact stands in another run", expected, found, row.task_id)
        elif of_twin and not of_twin[key]:
            expected = f"run {run.run_id} stores what the steady run stores, and nothing else"
            found = f"{_named(key, run)} ({witness})"
            yield _finding(case, run, "an artifact is there that no sound run stores", expected, found, row.task_id)


def _of_no_run(case: Case, witness: str) -> Iterator[Finding]:
    for run_id, rows in case.artifacts_by_run.items():
        if run_id not in case.known_runs:
            for row in rows:
                yield Finding(
                    check=NAME,
                    weight=Weight.SAFETY,
                    title="an artifact belongs to no run",
                    expected=f"every artifact bears one of the runs {', '.join(sorted(case.known_runs))}",
                    found=f"{row.type} {row.name!r} bears {row.execution_id!r} ({witness})",
                )


def _finding(case: Case, run: RunRead, title: str, expected: str, found: str, task: str | None = None) -> Finding:
    see = _where(case, run, task) if task else "reads.json"
    return Finding(check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=see)


def _named(key: Key, run: RunRead) -> str:
    task, kind, _, name = key
    return f"{kind} '{name}'{f' of task {task}' if task else ''} in run {run.run_id}"


def _stored(what: tuple[str | None, str, str | None], run: RunRead, count: int) -> str:
    task, kind, symbol = what
    named = f"{kind} {symbol}" if symbol else kind
    return f"{named}{f' of task {task}' if task else ''} in run {run.run_id} stored {_times(count)}"


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


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)} in artifacts"


CHECK = Check(
    name=NAME,
    judge=artifacts_once,
    holds_when="each run has stored what the steady run stores, with the same contents, once, in its own run; or less,"
    " where it says that it is degraded and the task has not ended well",
    witness="SQL, Airflow's API",
    needs=("artifacts",),
    of_work=True,
)
