"""The contents of artifacts, held against those that the steady run has stored."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks.case import ArtifactKey, Artifacts
from harness.checks.finding import Finding, Weight

Contents = tuple[tuple[str, str], ...]


def empty(mine: Artifacts, check: str) -> Iterator[Finding]:
    """Find artifacts that hold nothing."""
    for (_, kind, _, name), rows in mine.items():
        for row in rows:
            if row.contents and not any(digest for _, digest in row.contents):
                columns = ", ".join(column for column, _ in row.contents)
                yield _finding(
                    check,
                    "an artifact is empty",
                    f"{kind} {name!r} of run {row.execution_id} holds something",
                    f"nothing in any of its columns: {columns}",
                )


def differing(mine: Artifacts, twin: Artifacts, check: str, *, excused: bool) -> Iterator[Finding]:
    """Find artifacts that hold something else than in the steady run.

    Args:
        mine: those of a run.
        twin: those of the steady run.
        check: speaks in the findings.
        excused: whether the run says that it is no success: what stands in place of what could not be had may differ.
    """
    for key, rows in mine.items():
        left = [row.contents for row in twin.get(key, ())]
        for row in rows:
            if (row.substitute and excused) or not row.contents:
                continue
            if row.contents in left:
                left.remove(row.contents)
            elif left:
                yield _differs(check, row.execution_id or "", key, row.contents, left.pop(0))


def _differs(check: str, run_id: str, key: ArtifactKey, mine: Contents, twins: Contents) -> Finding:
    theirs = dict(twins)
    columns = ", ".join(
        f"{name} (nothing in it)" if not digest else name for name, digest in mine if theirs.get(name) != digest
    )
    return _finding(
        check,
        "an artifact has other contents than in the steady run",
        f"{key[1]} {key[3]!r} of run {run_id} holds what the steady run's holds",
        f"other contents in {columns or 'its columns'}",
    )


def _finding(check: str, title: str, expected: str, found: str) -> Finding:
    return Finding(
        check=check, weight=Weight.SAFETY, title=title, expected=expected, found=found, see="reads.json: artifacts"
    )
