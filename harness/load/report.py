"""The load's report: ``load.json``, ``load.md``, ``junit.xml``, and the table on the terminal."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.errors import ReportNotWritten
from harness.load.job import RunRecord
from harness.load.plan import LoadPlan
from harness.load.result import LoadResult
from harness.validated import Strict

HEADINGS = ("runs", "succeeded", "rate", "wanted", "median", "p95", "max", "threshold")


class LoadDocument(Strict):
    """A load's result, as ``load.json`` has it; times are of the runs that succeeded."""

    plan: LoadPlan
    runs: int
    succeeded: int
    success_rate: float
    met: bool
    median_s: float | None
    p95_s: float | None
    max_s: float | None
    task_median_s: dict[str, float]
    records: list[RunRecord]


def document(result: LoadResult) -> LoadDocument:
    """The result as a document."""
    return LoadDocument(
        plan=result.plan,
        runs=len(result.records),
        succeeded=result.succeeded,
        success_rate=result.success_rate,
        met=result.met,
        median_s=result.median_s,
        p95_s=result.p95_s,
        max_s=result.longest_s,
        task_median_s=dict(result.task_median_s),
        records=list(result.records),
    )


def write_load_report(directory: Path, result: LoadResult) -> None:
    """Write all files.

    Raises:
        ReportNotWritten: the disk is full, or the folder cannot be written.
    """
    try:
        (directory / "load.json").write_text(document(result).model_dump_json(indent=2) + "\n", encoding="utf-8")
        (directory / "load.md").write_text(markdown(result), encoding="utf-8")
        ET.ElementTree(junit(result)).write(directory / "junit.xml", encoding="utf-8", xml_declaration=True)
    except OSError as cause:
        raise ReportNotWritten(f"{directory}: the report cannot be written: {cause.strerror}") from cause


def junit(result: LoadResult) -> ET.Element:
    """One test case, the threshold: single runs may fail below it.

    Source: the JUnit XML format as CI servers read it (testsuite, testcase, failure).
    """
    took = f"{sum(record.took_s for record in result.records):.3f}"
    failures = str(int(not result.met))
    suite = ET.Element("testsuite", name="load", tests="1", failures=failures, errors="0", time=took)
    case = ET.SubElement(suite, "testcase", classname="load", name="success threshold", time=took)
    if not result.met:
        ET.SubElement(case, "failure", type="FAIL", message=sentence(result)).text = "\n".join(_failures(result))
    return suite


def markdown(result: LoadResult) -> str:
    """The result for people who read it beside the code."""
    lines = [
        f"# Load report: {'PASS' if result.met else 'FAIL'}",
        "",
        f"{sentence(result)}. Times are of the runs that succeeded; Locust's own report is `locust.html`.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{' --- |' * len(HEADINGS)}",
        f"| {' | '.join(cells(result))} |",
        "",
        "| task | median |",
        "| --- | --- |",
        *(f"| {task} | {_seconds(time_s, 2)} |" for task, time_s in result.task_median_s.items()),
        "",
        *(f"- {line}" for line in _failures(result)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def sentence(result: LoadResult) -> str:
    """The result in a sentence, without the full stop."""
    plan = result.plan
    return f"{result.succeeded} of {plan.runs} runs succeeded, at least {plan.success_threshold:.0%} had to"


def print_load(console: Console, result: LoadResult) -> None:
    """Print the tables."""
    table = Table(*HEADINGS)
    *plain, verdict = cells(result)
    table.add_row(*plain, f"[{'green' if result.met else 'bold red'}]{verdict}[/]")
    console.print()
    console.print(table)
    if result.task_median_s:
        tasks = Table("task", "median")
        for task, time_s in result.task_median_s.items():
            tasks.add_row(escape(task), _seconds(time_s, 2))
        console.print(tasks)


def cells(result: LoadResult) -> tuple[str, ...]:
    """The cells under ``HEADINGS``."""
    return (
        str(result.plan.runs),
        str(result.succeeded),
        f"{result.success_rate:.0%}",
        f"{result.plan.success_threshold:.0%}",
        _seconds(result.median_s),
        _seconds(result.p95_s),
        _seconds(result.longest_s),
        "met" if result.met else "not met",
    )


def _failures(result: LoadResult) -> list[str]:
    return [
        f"{record.run_id}: {record.cause} (after {record.took_s:.1f} s)"
        for record in result.records
        if not record.succeeded
    ]


def _seconds(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f} s"
