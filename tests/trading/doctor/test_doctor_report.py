"""The doctor as a command: what it prints, how it ends, and that no check can spoil it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from tests.trading.parts import Parts
from tests.trading.process import free_port
from trading.deadline import UNWIND_S
from trading.doctor.__main__ import main
from trading.doctor.examination import Check, Line, examine
from trading.doctor.finding import Finding, Verdict, failed, passed, warned
from trading.doctor.registry import CHECKS
from trading.doctor.report import as_json, exit_code, show
from trading.doctor.surroundings import Surroundings
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]
_ROOT = Path(__file__).parents[3]


def doctor(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, from a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, "-m", "trading.doctor", *arguments],
        env={**os.environ, "PYTHONPATH": str(_ROOT), "COLUMNS": "200", **(environment or {})},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_doctor_tells_every_line_and_fails_for_what_is_down(parts: Parts, set_up: SetUp) -> None:
    """No Airflow here: its lines fail with the fix, the others are made all the same, and no secret is shown."""
    secrets = {"airflow_api_password": "airflow-secret", "llm_api_key": "analysis-secret"}
    set_up(airflow_api_url=f"http://127.0.0.1:{free_port()}", **secrets)
    done = doctor("--json")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    verdicts = {line["check"]: line["verdict"] for line in report["lines"]}
    assert list(verdicts) == [check.name for check in CHECKS]
    sick = {"Airflow's parts", "DAG imports", "workers"}
    assert {name for name, verdict in verdicts.items() if verdict == "fail"} == sick
    assert {name for name, verdict in verdicts.items() if verdict == "warn"} == {"backend's log"}
    assert all("AIRFLOW_API_URL" in line["fix"] for line in report["lines"] if line["check"] in sick)
    assert (report["verdict"], done.returncode) == ("fail", 1)
    for secret in (":secret", *secrets.values()):
        assert secret not in done.stdout


def test_doctor_prints_a_table(parts: Parts, set_up: SetUp) -> None:
    """Without --json people read what was found, and what to do."""
    set_up(airflow_api_url=f"http://127.0.0.1:{free_port()}")
    done = doctor()
    assert done.returncode == 1
    assert "artifact round trip" in done.stdout
    assert "→ start Airflow's api-server, or set AIRFLOW_API_URL to where it is" in done.stdout
    assert done.stdout.splitlines()[-1] == "8 passed, 1 warned, 3 failed"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--deadline-s", "0"], "expected more than 0 and at most 600 seconds, came 0"),
        (["--deadline-s", "soon"], "expected more than 0 and at most 600 seconds, came soon"),
        (["--jsn"], "unrecognized arguments: --jsn"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_doctor_refuses_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    """Exit code 2, and a line that says why."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "usage: python -m trading.doctor" in shown.err
    assert why in shown.err


def lines(*findings: Finding) -> list[Line]:
    """Lines of a report."""
    return [Line(f"check {number}", finding, 0.1) for number, finding in enumerate(findings)]


@pytest.mark.parametrize(
    ("findings", "verdict", "code"),
    [
        ((), "pass", 0),
        ((passed("a"),), "pass", 0),
        ((passed("a"), warned("b", "c")), "warn", 0),
        ((failed("a", "b"), warned("c", "d"), passed("e")), "fail", 1),
    ],
)
def test_report_ends_with_the_worst(findings: tuple[Finding, ...], verdict: str, code: int) -> None:
    """Warnings alone are no failure."""
    assert json.loads(as_json(lines(*findings)))["verdict"] == verdict
    assert exit_code(lines(*findings)) == code


def test_report_shows_text_as_it_is() -> None:
    """Brackets in what was found are no markup, and nothing is cut off."""
    shown = io.StringIO()
    show(lines(failed("came [red]x[/red] " + "y" * 300, "mend it")), Console(file=shown, width=80))
    text = "".join(shown.getvalue().split())
    assert "[red]x[/red]" in text
    assert "y" * 300 in text.replace("check0fail", "")
    assert "→mendit" in text


async def _waits(_at: Surroundings) -> Finding:
    await asyncio.sleep(30)
    raise AssertionError


async def _breaks(_at: Surroundings) -> Finding:
    raise ZeroDivisionError("by nought")


async def _tells(at: Surroundings) -> Finding:
    return failed(f"the password is {at.airflow.airflow_api_password.get_secret_value()}", "https://u:pass@host/x")


def test_check_that_hangs_or_breaks_is_a_failed_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three checks hang together for one deadline, one breaks, one talks too much: all are told, in time, safely."""
    monkeypatch.setenv("AIRFLOW_API_PASSWORD", "do-not-show")
    checks = [Check(f"hangs {number}", _waits, "cut it short") for number in range(3)]
    checks += [Check("breaks", _breaks, "mend it"), Check("tells", _tells, "")]
    started_s = time.monotonic()
    made = asyncio.run(examine(checks, Surroundings.read(deadline_s=0.4)))
    assert time.monotonic() - started_s < 1.5
    assert [line.finding.verdict for line in made] == [Verdict.FAIL] * 5
    assert (made[0].finding.detail, made[0].finding.fix) == ("no answer within 0.4 s", "cut it short")
    assert made[3].finding.detail == "ZeroDivisionError: by nought"
    assert made[4].finding == failed("the password is ***", "https://***@host/x")


def test_check_that_is_late_may_take_back_what_it_began() -> None:
    """Its own time for that is not cut short as the courtesies of a driver are."""
    taken_back: list[bool] = []

    async def begins(_at: Surroundings) -> Finding:
        try:
            return await _waits(_at)
        finally:
            await asyncio.sleep(3 * UNWIND_S)
            taken_back.append(True)

    (line,) = asyncio.run(examine([Check("begins", begins, "", unwind_s=20)], Surroundings.read(deadline_s=0.1)))
    assert line.finding.verdict is Verdict.FAIL
    assert taken_back == [True]
