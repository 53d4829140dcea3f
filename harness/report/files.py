"""The report's files: ``verdict.json``, ``junit.xml`` and ``report.md``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from harness.checks.finding import Finding, Verdict
from harness.errors import ReportNotWritten
from harness.report.summary import Summary

_JUDGED = frozenset({Verdict.PASS, Verdict.FAIL})


def write_report(directory: Path, summaries: Sequence[Summary]) -> None:
    """Write all of them.

    Raises:
        ReportNotWritten: the disk is full, or the folder cannot be written.
    """
    try:
        (directory / "verdict.json").write_bytes(
            TypeAdapter(list[Summary]).dump_json(list(summaries), indent=2) + b"\n"
        )
        ET.ElementTree(junit(summaries)).write(directory / "junit.xml", encoding="utf-8", xml_declaration=True)
        (directory / "report.md").write_text(markdown(summaries), encoding="utf-8")
    except OSError as cause:
        raise ReportNotWritten(f"{directory}: the report cannot be written: {cause.strerror}") from cause


def worst(summaries: Sequence[Summary]) -> Verdict:
    """The verdict of several drills together: a loss outweighs what could not be told; a skip says nothing."""
    verdicts = {summary.verdict for summary in summaries}
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.SKIPPED)
    return next((verdict for verdict in order if verdict in verdicts), Verdict.PASS)


def junit(summaries: Sequence[Summary]) -> ET.Element:
    """One test case a drill: FAIL is a failure, INCONCLUSIVE an error, so that a pipeline can tell them apart.

    Source: the JUnit XML format as CI servers read it (testsuite, testcase, failure, error).
    """
    suite = ET.Element(
        "testsuite",
        name="drills",
        tests=str(len(summaries)),
        failures=str(sum(each.verdict is Verdict.FAIL for each in summaries)),
        errors=str(sum(each.verdict is Verdict.INCONCLUSIVE for each in summaries)),
        skipped=str(sum(each.verdict is Verdict.SKIPPED for each in summaries)),
        time=f"{sum(each.took_s for each in summaries):.3f}",
    )
    for each in summaries:
        case = ET.SubElement(suite, "testcase", classname="drill", name=each.scenario, time=f"{each.took_s:.3f}")
        if each.verdict is Verdict.SKIPPED:
            ET.SubElement(case, "skipped", message=each.skipped or "")
        elif each.verdict is not Verdict.PASS:
            kind = "failure" if each.verdict is Verdict.FAIL else "error"
            title = each.findings[0].title if each.findings else each.verdict
            problem = ET.SubElement(case, kind, type=each.verdict, message=title)
            problem.text = "\n\n".join(finding_text(finding) for finding in each.findings)
    return suite


def finding_text(finding: Finding) -> str:
    """A finding as plain text: the loss first, then how we know, then where to look."""
    lines = [f"{finding.check}: {finding.title}", f"  expected  {finding.expected}", f"  found     {finding.found}"]
    return "\n".join([*lines, *([f"  see       {finding.see}"] if finding.see else [])])


def markdown(summaries: Sequence[Summary]) -> str:
    """The result for people who read it beside the code."""
    lines = [
        f"# Drill report: {worst(summaries)}",
        "",
        "| scenario | fault | bit | healed | recovery | promises | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in summaries:
        cells = row(each)
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    for each in summaries:
        lines += ["", f"## {each.scenario}", "", each.about, ""]
        if each.skipped is not None:
            lines += [f"Skipped: {each.skipped}"]
            continue
        lines += [f"Evidence in `{each.folder}/`; again: `{each.again}`"]
        for finding in each.findings:
            lines += ["", "```", finding_text(finding).replace("```", "'''"), "```"]
    return "\n".join(lines) + "\n"


def row(summary: Summary) -> tuple[str, ...]:
    """The cells of a result: scenario, fault, bit, healed, recovery, promises, verdict."""
    return (
        summary.scenario,
        ", ".join(summary.faults) or "none",
        "–" if summary.bit is None else f"{summary.bit}×",
        "–" if summary.healed_ms is None else f"{summary.healed_ms:.0f} ms",
        "–" if summary.recovery_s is None else f"{summary.recovery_s:.1f} s",
        f"{summary.kept} of {summary.promises}" if summary.verdict in _JUDGED else "not judged",
        str(summary.verdict),
    )
