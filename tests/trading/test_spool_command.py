"""``python -m trading.workflow.spool``: what waits can be seen and sent by hand, and every problem is one clear line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trading.artifact_case import a_chart
from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run
from tests.trading.process import free_port
from trading.workflow.settings import WorkflowSettings
from trading.workflow.spool import Spool, SpooledArtifact
from trading.workflow.spool.__main__ import main

SetUp = Callable[..., WorkflowSettings]
Ask = Callable[..., Any]


@pytest.fixture
def spool(set_up: SetUp) -> Spool:
    """The spool that the environment names."""
    settings = set_up()
    return Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the command for JSON, require an exit code, and read the answer."""

    def run(*arguments: str, code: int = 0) -> Any:
        assert main([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def fill(spool: Spool, run: str, *names: str) -> list[str]:
    """Put artifacts of a run into the spool; return their keys."""
    artifacts = [a_chart(run, name) for name in names]
    for artifact in artifacts:
        key, body = artifact.idempotency_key, artifact.body()
        spool.add(key=key, execution_id=run, name=artifact.name, body=body, cause="refused: no server\nthere")
    return [artifact.idempotency_key for artifact in artifacts]


def test_command_lists_what_waits(spool: Spool, ask: Ask) -> None:
    """In order, with all that tells which artifact it is and why it waits."""
    run = new_run()
    keys = fill(spool, run, "one", "two")
    answer = ask("list")
    assert [(entry["key"], entry["name"]) for entry in answer["waiting"]] == [(keys[0], "one"), (keys[1], "two")]
    assert {entry["execution_id"] for entry in answer["waiting"]} == {run}
    assert answer["waiting"][0]["reason"] == "refused: no server\nthere"
    assert answer["other_hosts"] == []


def test_command_lists_for_people(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    """One line an artifact, also when its words hold line breaks, and how many there are."""
    (key,) = fill(spool, new_run(), "one")
    assert main(["list"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert key in first
    assert first.endswith("one  refused: no server there")
    assert last == "1 waiting"


def test_command_shows_one_by_the_beginning_of_its_key(spool: Spool, ask: Ask) -> None:
    """With the body that will be sent."""
    first, _ = fill(spool, new_run(), "one", "two")
    shown = ask("show", first[:12])
    assert (shown["key"], shown["body"]["name"]) == (first, "one")


@pytest.mark.parametrize(("key", "count"), [("none such", 0), ("", 2)])
def test_command_that_finds_not_one_says_so(
    spool: Spool, capsys: pytest.CaptureFixture[str], key: str, count: int
) -> None:
    """Neither none nor several are shown."""
    fill(spool, new_run(), "one", "two")
    assert main(["show", key]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert f"there are {count}" in told.err


def test_command_shows_what_is_dead(spool: Spool, ask: Ask) -> None:
    """With the reason; and it can be shown like what waits, even when it is damaged."""
    spool.bury(SpooledArtifact(0, "a-key", "run", "a name", '{"damaged', "refused"), "refused with 422")
    (entry,) = ask("dead")["dead"]
    assert (entry["key"], entry["reason"]) == ("a-key", "refused with 422")
    assert ask("show", "a-key")["body"] == '{"damaged'


def test_command_replays(parts: Parts, spool: Spool, ask: Ask) -> None:
    """Everything is sent, in order; a second time there is nothing to do."""
    run = new_run()
    fill(spool, run, "one", "two")
    assert ask("replay") == {"replayed": 2, "dead": 0, "left": 0, "problem": ""}
    assert ask("replay") == {"replayed": 0, "dead": 0, "left": 0, "problem": ""}
    assert parts.artifacts(run) == ["one", "two"]


def test_command_that_leaves_something_ends_with_1(spool: Spool, set_up: SetUp, ask: Ask) -> None:
    """The backend is down for longer than the command may take."""
    fill(spool, new_run(), "one")
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}")
    assert ask("replay", "--within", "0.3", code=1)["left"] == 1


def test_command_that_meets_a_refusal_ends_with_1(parts: Parts, spool: Spool, set_up: SetUp, ask: Ask) -> None:
    """What the backend will never take is told, and so is a backend that takes nothing from us."""
    fill(spool, new_run(), "one")
    with failing(parts.backend_url, "401", "422") as backend:
        set_up(backend_api_url=backend.url)
        assert "401" in ask("replay", code=1)["problem"]
        assert ask("replay", code=1)["dead"] == 1


def test_command_replays_for_a_host_that_is_gone(parts: Parts, set_up: SetUp, ask: Ask) -> None:
    """Its file is named by the list, and sent under its name."""
    settings, run = set_up(), new_run()
    with Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes, host="gone") as gone:
        fill(gone, run, "one")
    assert ask("list") == {"waiting": [], "dead": [], "other_hosts": ["gone"]}
    assert ask("replay", "--host", "gone")["replayed"] == 1
    assert parts.artifacts(run) == ["one"]


@pytest.mark.parametrize("command", ["list", "dead"])
def test_command_that_only_looks_makes_nothing(set_up: SetUp, ask: Ask, command: str) -> None:
    """A file that it made might belong to another user than the workflow's."""
    settings = set_up()
    assert not any(ask(command).values())
    assert not settings.artifact_spool_dir.exists()


def test_command_that_cannot_work_ends_with_2(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    """A spool that is damaged: one line on the error stream, and nothing on the other."""
    spool.path.write_bytes(b"not a database" * 1000)
    assert main(["list"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "not a database" in told.err


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        ([], {}, 2, "usage: python -m trading.workflow.spool"),
        (["burn"], {}, 2, "invalid choice: 'burn'"),
        (["list"], {"BACKEND_API_URL": "nowhere"}, 2, "trading.workflow.spool: BACKEND_API_URL: "),
        (["list"], {}, 0, ""),
    ],
)
def test_command_can_be_run(
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    code: int,
    words: str,
) -> None:
    """As a module, with an exit code and without a traceback."""
    set_up()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", "trading.workflow.spool", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
