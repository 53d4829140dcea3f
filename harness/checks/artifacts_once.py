"""No artifact that the workflow produced is lost, doubled or another; each belongs to its run.

The steady run is the oracle: from it one knows, without a list written by hand, which artifacts with which contents
belong to a run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from harness.checks.artifact_contents import differing, empty
from harness.checks.case import ArtifactKey, Artifacts, Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.events import TaskChanged
from harness.history.reads import RunRead
from harness.stack.adapters import ArtifactsAdapter

NAME = "artifacts-once"
_What = tuple[str | None, str, str | None]


def artifacts_once(case: Case) -> Sequence[Finding]:
    """Compare what each run has left with what its tasks must leave, and with what the steady run has left."""
    adapter = case.adapters.artifacts
    if adapter is None or not case.was_read("artifacts"):
        return []
    witness = "the artifacts' API" if adapter.http else "SQL"
    findings = [*_of_no_run(case, witness)]
    for run in case.reads.runs.values():
        mine = case.artifacts_of(run)
        twin = case.artifacts_of(case.steady) if case.steady is not None and run is not case.steady else {}
        findings += _lost(case, adapter, run, mine, twin, witness)
        findings += _others(case, adapter, run, mine, twin, witness)
        findings += _doubled(case, run, mine, twin, witness)
        findings += empty(mine, NAME)
        findings += differing(mine, twin, NAME, excused=case.word_of(run) != "success")
    return findings


def _lost(
    case: Case, adapter: ArtifactsAdapter, run: RunRead, mine: Artifacts, twin: Artifacts, witness: str
) -> Iterator[Finding]:
    stored: Counter[_What] = Counter()
    for (task, kind, symbol, _), rows in mine.items():
        stored[task, kind, symbol] += len(rows)
    told: set[_What] = set()
    for (task, kind, symbol), count in _must_be_stored(adapter, run).items():
        if stored[task, kind, symbol] < count:
            told.add((task, kind, symbol))
            found = f"{_rows(stored[task, kind, symbol])} ({witness}), although {_reported(case, run, task)}"
            yield _finding(case, run, "an artifact was lost", _stored((task, kind, symbol), run, count), found)
    if case.word_of(run) != "success":
        return
    for key, rows in twin.items():
        has = len(mine.get(key, ()))
        if has < len(rows) and key[:3] not in told:
            found = f"{_rows(has)} ({witness}), although the run says success, and the steady run has stored it"
            yield _finding(case, run, "an artifact was lost", _stored(key[:3], run, len(rows)), found)


def _must_be_stored(adapter: ArtifactsAdapter, run: RunRead) -> Counter[tuple[str, str, str | None]]:
    ended_well = {task.task_id for task in run.tasks if task.state == "success"}
    wanted: Counter[tuple[str, str, str | None]] = Counter()
    # In the order of the workflow, so that the first finding is the first loss.
    for task in (name for name in (*adapter.per_symbol, *adapter.per_run) if name in ended_well):
        for kind in adapter.per_symbol.get(task, []):
            wanted.update((task, kind, symbol) for symbol in run.symbols)
        wanted.update((task, kind, None) for kind in adapter.per_run.get(task, []))
    return wanted


def _doubled(case: Case, run: RunRead, mine: Artifacts, twin: Artifacts, witness: str) -> Iterator[Finding]:
    for key, rows in mine.items():
        if len(rows) == 1:
            continue
        same = max(Counter(rows).values())
        if same > 1:
            expected = f"{_named(key, run)} stored once"
            yield _finding(case, run, "an artifact was stored twice", expected, f"{_rows(same)} ({witness})")
        elif len(rows) > len(twin.get(key, rows)):
            expected = f"{_named(key, run)} stored {_times(len(twin[key]))}, as in the steady run"
            found = f"{_rows(len(rows))}, with different contents ({witness})"
            yield _finding(case, run, "an artifact was stored twice", expected, found)


def _others(
    case: Case, adapter: ArtifactsAdapter, run: RunRead, mine: Artifacts, twin: Artifacts, witness: str
) -> Iterator[Finding]:
    """Artifacts that are not of this run, by task, by symbol, by name, or by what the steady run has left."""
    tasks, symbols = {*adapter.per_symbol, *adapter.per_run}, {None, *run.symbols}
    others = sorted(case.known_runs - {run.run_id})
    of_another = re.compile("|".join(map(re.escape, others))) if others else None
    for key in mine:
        task, kind, symbol, name = key
        if (tasks and task not in tasks) or (run.symbols and symbol not in symbols):
            traded = f", for {', '.join(run.symbols)}" if run.symbols else ""
            expected = f"artifacts of run {run.run_id} come from its tasks{traded}"
            found = f"{kind} {name!r} of task {task!r} for symbol {symbol!r} ({witness})"
            yield _finding(case, run, "an artifact is not of its run", expected, found, task)
        elif of_another is not None and (other := of_another.search(name)):
            expected = f"what stands in run {run.run_id} was made by it"
            found = f"{kind} {name!r}, which is of run {other[0]} ({witness})"
            yield _finding(case, run, "an artifact stands in another run", expected, found, task)
        elif twin and key not in twin:
            expected = f"run {run.run_id} stores what the steady run stores, and nothing else"
            found = f"{_named(key, run)} ({witness})"
            yield _finding(case, run, "an artifact is there that no sound run stores", expected, found, task)


def _of_no_run(case: Case, witness: str) -> Iterator[Finding]:
    for run_id, found in case.artifacts_by_run.items():
        if run_id not in case.known_runs:
            for row in (row for rows in found.values() for row in rows):
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


def _named(key: ArtifactKey, run: RunRead) -> str:
    task, kind, _, name = key
    return f"{kind} '{name}'{f' of task {task}' if task else ''} in run {run.run_id}"


def _stored(what: _What, run: RunRead, count: int) -> str:
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
    blind_to="contents that are wrong in the same way in every run, the steady one too (`consistent` may see "
    "them); an artifact that a degraded run need not have left; files beside the database",
)
