"""The doctor's lines about this machine: settings, spool, schedule, and code that silences exceptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import trading.workflow
from tests.trading.doctor.examining import finding_of
from trading.doctor.finding import Verdict
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool

SetUp = Callable[..., WorkflowSettings]


@pytest.fixture
def spool(set_up: SetUp) -> Spool:
    """The spool that the settings name."""
    settings = set_up()
    return Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes)


def keep(spool: Spool) -> None:
    """Put an artifact into the spool."""
    with spool:
        spool.add(key="k1", execution_id="run", name="AAPL chart", body="{}", cause="refused: no server there")


def test_settings_that_can_be_used_pass(set_up: SetUp) -> None:
    """They show where the parties are."""
    set_up()
    assert finding_of("settings").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "value"), [("ibkr_port", "99999"), ("airflow_api_url", "nowhere"), ("stock_symbols", "?")]
)
def test_settings_that_cannot_be_used_fail(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The variable is named; lines that need the settings are not examined, and others are."""
    set_up()
    monkeypatch.setenv(name.upper(), value)
    found = finding_of("settings")
    assert found.verdict is Verdict.FAIL
    assert name.upper() in found.detail
    needs = finding_of("Airflow's parts" if name.startswith("airflow") else "gateway")
    assert (needs.verdict, needs.fix) == (Verdict.WARN, "see the line 'settings'")
    assert finding_of("schedule").verdict is Verdict.PASS


def test_spool_that_was_never_used_passes_and_stays_unmade(set_up: SetUp) -> None:
    """To look makes no file."""
    folder = set_up().artifact_spool_dir
    assert finding_of("spool").verdict is Verdict.PASS
    assert not folder.exists()


def test_spool_with_something_waiting_warns(spool: Spool) -> None:
    """How much, what is first, why, and the command that sends it."""
    keep(spool)
    found = finding_of("spool")
    assert found.verdict is Verdict.WARN
    assert "1 waiting, 0 dead letters" in found.detail
    assert "AAPL chart" in found.detail
    assert "refused: no server there" in found.detail
    assert "python -m trading.workflow.spool replay" in found.fix


def test_spool_with_dead_letters_fails(spool: Spool) -> None:
    """What the backend will never take needs a person."""
    keep(spool)
    with spool:
        (artifact,) = spool.waiting()
        spool.bury(artifact, "422: no such type")
    found = finding_of("spool")
    assert found.verdict is Verdict.FAIL
    assert "0 waiting, 1 dead letters" in found.detail
    assert "422: no such type" in found.detail


def test_spool_that_cannot_be_read_fails(spool: Spool) -> None:
    """Something else is in the file."""
    spool.path.write_bytes(b"this is no database" * 100)
    found = finding_of("spool")
    assert found.verdict is Verdict.FAIL
    assert "ARTIFACT_SPOOL_DIR" in found.fix


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        ("0 9 * * 1-5", Verdict.PASS, "the next run is on"),
        ("manual", Verdict.PASS, "manual runs only"),
        ("61 * * * *", Verdict.FAIL, "'61 * * * *'"),
        ("0 9 * * 6", Verdict.WARN, "the exchange is closed whenever"),
    ],
)
def test_schedule_is_judged(monkeypatch: pytest.MonkeyPatch, text: str, verdict: Verdict, words: str) -> None:
    """Valid with its next run, manual, wrong, or never due on a trading day."""
    monkeypatch.setenv("WORKFLOW_SCHEDULE", text)
    found = finding_of("schedule")
    assert found.verdict is verdict
    assert words in found.detail


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("try:\n    f()\nexcept:\n    g()\n", "E722"),
        ("try:\n    f()\nexcept Exception:\n    g()\n", "BLE001"),
        ("try:\n    f()\nexcept Exception:\n    pass\n", "S110"),
        ("for x in y:\n    try:\n        f()\n    except Exception:\n        continue\n", "S112"),
        ("def f(:\n", "invalid-syntax"),
        ("try:\n    f()\nexcept Exception:  # noqa: BLE001 - it is told elsewhere\n    g()\n", ""),
        ("try:\n    f()\nexcept ValueError as error:\n    raise TypeError from error\n", ""),
    ],
)
def test_silenced_exceptions_are_found(tmp_path: Path, code: str, rule: str) -> None:
    """Each way to silence an exception, with its place; one with a reason, or one that is raised on, is none."""
    (tmp_path / "flow.py").write_text(code)
    found = finding_of("silenced exceptions", code=tmp_path)
    assert found.verdict is (Verdict.FAIL if rule else Verdict.PASS), found
    assert rule in found.detail
    assert ("flow.py:" in found.detail) == bool(rule)


def test_silenced_exceptions_are_none_in_our_own_code() -> None:
    """The workflow itself passes."""
    assert finding_of("silenced exceptions").verdict is Verdict.PASS
    assert str(Path(trading.workflow.__file__).parent) in finding_of("silenced exceptions").detail


def test_silenced_exceptions_need_code_to_look_through(tmp_path: Path) -> None:
    """A path that is not there does not pass as clean."""
    found = finding_of("silenced exceptions", code=tmp_path / "nowhere")
    assert found.verdict is Verdict.FAIL
    assert "--code" in found.fix


def test_silenced_exceptions_without_ruff_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not looked through does not pass, and does not fail."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = finding_of("silenced exceptions", code=tmp_path)
    assert found.verdict is Verdict.WARN
    assert "pip install ruff" in found.fix
