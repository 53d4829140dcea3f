"""The report's files: ``verdict.json``, ``junit.xml`` and ``report.md``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter

from harness.checks.finding import Verdict
from harness.errors import ReportNotWritten
from harness.report.result import DrillResult, verdict_of_all

_JUDGED = frozenset({Verdict.PASS, Verdict.FAIL})
_TELLS_NOTHING = frozenset({Verdict.INCONCLUSIVE, Verdict.WATCHED_ONLY})


def write_report(directory: Path, results: Sequence[DrillResult]) -> None:
    """Write all of them, each whole or not at all: an older one that stayed would tell of fewer drills than there were.

    Raises:
        ReportNotWritten: the disk is full, or the folder cannot be written.
    """
    xml = ET.tostring(junit(results), encoding="utf-8", xml_declaration=True)
    files = {
        "verdict.json": as_json(results) + b"\n",
        "junit.xml": xml,
        "report.md": markdown(results).encode(),
    }
    failures = [failure for name, data in files.items() if (failure := _write_whole(directory / name, data))]
    if failures:
        raise ReportNotWritten(f"{directory}: the report cannot be written: {'; '.join(failures)}")


def _write_whole(path: Path, data: bytes) -> str:
    """Write a file; why it is not there, when that cannot be done."""
    unfinished = path.with_name(f".{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as cause:
        for stale in (unfinished, path):
            with suppress(OSError):
                stale.unlink(missing_ok=True)
        return f"{path.name}: {cause.strerror}"
    return ""


def as_json(results: Sequence[DrillResult]) -> bytes:
    """What ``verdict.json`` holds."""
    return TypeAdapter(tuple[DrillResult, ...]).dump_json(tuple(results), indent=2)


def junit(results: Sequence[DrillResult]) -> ET.Element:
    """One test case a drill: FAIL is a failure, what tells nothing an error, so that a pipeline can tell them apart.

    Source: the JUnit XML format as CI servers read it (testsuite, testcase, failure, error).
    """
    suite = ET.Element(
        "testsuite",
        name="drills",
        tests=str(len(results)),
        failures=str(sum(each.verdict is Verdict.FAIL for each in results)),
        errors=str(sum(each.verdict in _TELLS_NOTHING for each in results)),
        skipped=str(sum(each.verdict is Verdict.SKIPPED for each in results)),
        time=f"{sum(each.took_s for each in results):.3f}",
    )
    for each in results:
        case = ET.SubElement(suite, "testcase", classname="drill", name=each.scenario, time=f"{each.took_s:.3f}")
        if each.verdict is Verdict.SKIPPED:
            ET.SubElement(case, "skipped", message=each.skipped or "")
        elif each.verdict is not Verdict.PASS:
            kind = "failure" if each.verdict is Verdict.FAIL else "error"
            title = f"{each.findings[0].check}: {each.findings[0].title}" if each.findings else each.verdict
            problem = ET.SubElement(case, kind, type=each.verdict, message=title)
            problem.text = "\n\n".join(str(finding) for finding in each.findings)
    return suite


def markdown(results: Sequence[DrillResult]) -> str:
    """The result for people who read it beside the code."""
    lines = [
        f"# Drill report: {verdict_of_all(results)}",
        "",
        "| scenario | fault | hits | healed | recovery | promises | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in results:
        cells = row(each)
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    for each in results:
        lines += ["", f"## {each.scenario}", "", each.about, ""]
        if each.skipped is not None:
            lines += [f"Skipped: {each.skipped}"]
            continue
        if each.unchecked:
            lines += [f"Not checked: {', '.join(each.unchecked)}.", ""]
        lines += [f"Evidence in `{each.folder}/`; again: `{each.again}`"]
        for finding in each.findings:
            lines += ["", "```", str(finding).replace("```", "'''"), "```"]
    return "\n".join(lines) + "\n"


def row(result: DrillResult) -> tuple[str, ...]:
    """The cells of a result: scenario, fault, hits, healed, recovery, promises, verdict."""
    return (
        result.scenario,
        ", ".join(result.faults) or "none",
        "–" if result.hits is None else f"{result.hits}×",
        "–" if result.healed_ms is None else f"{result.healed_ms:.0f} ms",
        "–" if result.recovery_s is None else f"{result.recovery_s:.1f} s",
        _promises(result),
        str(result.verdict),
    )


def _promises(result: DrillResult) -> str:
    if result.verdict is Verdict.WATCHED_ONLY:
        return "watched only"
    return f"{result.kept} of {result.promises}" if result.verdict in _JUDGED else "not judged"
