"""The contents of artifacts, held against those that the steady run has stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.checks.case import Case
from harness.checks.finding import Finding, Weight
from harness.checks.twin import Key, key_of
from harness.history.reads import ArtifactRow, RunRead

Contents = tuple[tuple[str, str], ...]


def contents(case: Case, run: RunRead, rows: Sequence[ArtifactRow], check: str) -> Iterator[Finding]:
    """Find artifacts that hold nothing, and those that hold something else than in the steady run.

    What stands in place of what could not be had may differ in a run that says that it is degraded.
    """
    for row in dict.fromkeys(rows):
        if row.contents and not any(digest for _, digest in row.contents):
            expected = f"{row.type} {row.name!r} of run {run.run_id} holds something"
            columns = ", ".join(name for name, _ in row.contents)
            yield _finding(check, "an artifact is empty", expected, f"nothing in any of its columns: {columns}")
    if case.steady is None or run is case.steady:
        return
    twin = _by_key(case.artifacts_by_run.get(case.steady.run_id, ()), case.steady.run_id)
    excused = case.word_of(run) != "success"
    for key, mine in _by_key([row for row in rows if not (row.substitute and excused)], run.run_id).items():
        left = list(twin.get(key, ()))
        for held in mine:
            if held in left:
                left.remove(held)
            elif left:
                yield _differs(check, run, key, held, left.pop(0))


def _by_key(rows: Sequence[ArtifactRow], run_id: str) -> Mapping[Key, Sequence[Contents]]:
    found: dict[Key, list[Contents]] = {}
    for row in rows:
        if row.contents:
            found.setdefault(key_of(row, run_id), []).append(row.contents)
    return found


def _differs(check: str, run: RunRead, key: Key, mine: Contents, twins: Contents) -> Finding:
    theirs = dict(twins)
    columns = ", ".join(
        f"{name} (nothing in it)" if not digest else name for name, digest in mine if theirs.get(name) != digest
    )
    return _finding(
        check,
        "an artifact has other contents than in the steady run",
        f"{key[1]} {key[3]!r} of run {run.run_id} holds what the steady run's holds",
        f"other contents in {columns or 'its columns'}",
    )


def _finding(check: str, title: str, expected: str, found: str) -> Finding:
    return Finding(
        check=check, weight=Weight.SAFETY, title=title, expected=expected, found=found, see="reads.json: artifacts"
    )
