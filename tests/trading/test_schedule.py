"""When the workflow runs by itself: what is wrong names itself, clocks are changed, and holidays are left out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from trading.workflow.schedule import ScheduleSettings, main, next_runs, read_schedule

NEW_YORK = ZoneInfo("America/New_York")


def schedule_of(text: str, timezone: str = "America/New_York") -> ScheduleSettings:
    """Settings that differ from the defaults in their schedule."""
    return ScheduleSettings(workflow_schedule=text, workflow_timezone=timezone)


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("0 9 * * 1-5", "0 9 * * 1-5"),
        (" 30 9 * * mon-fri ", "30 9 * * mon-fri"),
        ("0 9 L * *", "0 9 L * *"),
        ("*/15 9-15 * jan,jul 5#2", "*/15 9-15 * jan,jul 5#2"),
        ("0 9 29 2 *", "0 9 29 2 *"),
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("", None),
        ("manual", None),
        ("Manual ", None),
    ],
)
def test_schedule_reads(text: str, cron: str | None) -> None:
    """Cron fields, presets, and the ways to say that there is none."""
    schedule = read_schedule(schedule_of(text))
    assert (schedule.cron, schedule.problem) == (cron, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("61 * * * *", "the minute is '61', expected 0-59"),
        ("R 9 * * *", "the minute is 'R', expected 0-59"),
        ("0 24 * * *", "the hour is '24', expected 0-23"),
        ("0 9,25 * * *", "the hour is '9,25', expected 0-23"),
        ("0 9 0 * *", "the day of month is '0', expected 1-31"),
        ("0 9 * 13 *", "the month is '13', expected 1-12 or JAN-DEC"),
        ("0 9 * r *", "the month is 'R', expected 1-12 or JAN-DEC"),
        ("0 9 * * 1-8", "the day of week is '1-8', expected 0-7 or SUN-SAT"),
        ("0 9 * * weekdays", "the day of week is 'WEEKDAYS', expected 0-7 or SUN-SAT"),
        ("*/0 9 * * *", "the minute is '*/0', expected 0-59"),
        ("0 9 31 2 *", "the day of month '31' does not come in the month '2'"),
        ("* * * *", "it has 4 fields, expected 5: minute, hour, day of month, month, day of week"),
        ("0 9 * * 1-5 2026", "it has 6 fields, expected 5"),
        ("every day", "it has 2 fields, expected 5"),
        ("@sometimes", "expected a preset of @hourly, @daily"),
    ],
)
def test_schedule_that_is_wrong_names_the_field_and_its_range(text: str, words: str) -> None:
    """Nothing is scheduled, and the words show what came, which field is wrong, and a correct example."""
    schedule = read_schedule(schedule_of(text))
    assert schedule.cron is None
    assert schedule.problem.startswith(f"WORKFLOW_SCHEDULE is {text!r}: ")
    assert words in schedule.problem
    assert "'0 9 * * 1-5'" in schedule.problem


def test_schedule_names_an_unknown_timezone() -> None:
    """A wrong zone would trade at the wrong hour."""
    schedule = read_schedule(schedule_of("0 9 * * 1-5", "America/Gotham"))
    assert schedule.cron is None
    assert "WORKFLOW_TIMEZONE is 'America/Gotham'" in schedule.problem


@pytest.mark.parametrize("text", ["five", "-1", "1001", "", "2.5"])
def test_schedule_names_a_wrong_limit_of_failures(text: str) -> None:
    """A limit that is not understood schedules nothing, rather than failing for ever."""
    schedule = read_schedule(ScheduleSettings(workflow_max_failed_runs=text))
    assert (schedule.cron, schedule.max_failed_runs) == (None, 0)
    assert f"WORKFLOW_MAX_FAILED_RUNS is {text!r}" in schedule.problem


@pytest.mark.parametrize(
    ("changed_on", "hours_utc"),
    [("2026-03-08", {14, 13}), ("2026-11-01", {13, 14})],
)
def test_schedule_keeps_to_the_wall_clock_when_it_is_changed(changed_on: str, hours_utc: set[int]) -> None:
    """Nine o'clock in New York stays nine o'clock, the Friday before and the Monday after."""
    after = datetime.combine(date.fromisoformat(changed_on) - timedelta(days=3), datetime.min.time(), NEW_YORK)
    runs = next_runs(read_schedule(schedule_of("0 9 * * 1-5")), after=after, count=4).runs
    assert {run.astimezone(NEW_YORK).hour for run in runs} == {9}
    assert {run.hour for run in runs} == hours_utc


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # The hour from 2 to 3 is left out on 8 March: what would fall into it comes an hour later.
        ("30 2 * * *", "2026-03-07T12:00-05:00", ["2026-03-08T03:30-04:00", "2026-03-09T02:30-04:00"]),
        # The hour from 1 to 2 comes twice on 1 November: once is enough for a run a day.
        ("30 1 * * *", "2026-10-31T12:00-04:00", ["2026-11-01T01:30-05:00", "2026-11-02T01:30-05:00"]),
        # A run an hour comes in both.
        ("30 * * * *", "2026-11-01T01:00-04:00", ["2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00"]),
    ],
)
def test_schedule_has_one_answer_for_hours_that_are_missing_or_come_twice(
    cron: str, after: str, expected: list[str]
) -> None:
    """In the night of a change, each day still has its run, and only one."""
    ticks = read_schedule(schedule_of(cron)).ticks(datetime.fromisoformat(after))
    assert list(islice(ticks, 2)) == [datetime.fromisoformat(text) for text in expected]


def test_next_runs_leave_holidays_out() -> None:
    """Thanksgiving is told among what is left out, and takes no place among the five."""
    found = next_runs(read_schedule(schedule_of("0 9 * * 1-5")), after=datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert [f"{run:%m-%d %H}" for run in found.runs] == ["11-24 14", "11-25 14", "11-27 14", "11-30 14", "12-01 14"]
    assert found.closed == (date(2026, 11, 26),)


def test_next_runs_look_at_the_exchanges_date() -> None:
    """Thursday morning in Tokyo is Wednesday evening in New York, where the exchange has been open."""
    found = next_runs(
        read_schedule(schedule_of("0 8 * * 4", "Asia/Tokyo")), after=datetime(2026, 11, 25, tzinfo=UTC), count=1
    )
    assert found.runs == (datetime(2026, 11, 25, 23, tzinfo=UTC),)


@pytest.mark.parametrize("cron", ["0 9 * * 6", "* * * * 0", "0 9 25 12 *"])
def test_next_runs_of_a_schedule_for_closed_days_are_none(cron: str) -> None:
    """The search ends after a year, and quickly, however many ticks a closed day has."""
    found = next_runs(read_schedule(schedule_of(cron)), after=datetime(2026, 11, 24, tzinfo=UTC))
    assert found.runs == ()
    assert 1 <= len(found.closed) <= 54


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("0 9 * * 1-5", 0, "Fri 2026-11-27 09:00 EST   2026-11-27 14:00 UTC"),
        ("0 9 * * 1-5", 0, "left out  Thu 2026-11-26, the exchange is closed"),
        ("manual", 0, "no runs but manual ones: WORKFLOW_SCHEDULE is empty or 'manual'"),
        ("61 * * * *", 2, "the minute is '61'"),
        ("0 9 * * 6", 2, "the exchange is closed"),
    ],
)
def test_show_prints_the_next_runs_or_why_there_are_none(
    text: str, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Local time and UTC side by side; the exit code says whether the setting can be used."""
    monkeypatch.setenv("WORKFLOW_SCHEDULE", text)
    assert main(["show"], now=datetime(2026, 11, 24, 12, tzinfo=UTC)) == code
    assert words in capsys.readouterr().out


def test_show_speaks_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for machines."""
    monkeypatch.setenv("WORKFLOW_SCHEDULE", "0 9 * * 1-5")
    assert main(["show", "--json"], now=datetime(2026, 11, 25, 12, tzinfo=UTC)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["next_runs"][1] == {"local": "2026-11-27T09:00:00-05:00", "utc": "2026-11-27T14:00:00+00:00"}
    assert (told["problem"], told["closed"]) == ("", ["2026-11-26"])
