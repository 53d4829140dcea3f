"""What could not be taken back stays in the undo log: by the drill, and by the clean-up after a harness that died."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.history.history import HistoryWriter
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.removal import remove_session
from harness.runtime.session.undo_log import UNDO_FILE, UndoLog, UndoStep, carry_out
from tests.faults.test_injection import begin, injector_of

UNPAUSE, LIMIT, FLUSH = (
    UndoStep("/containers/a/unpause"),
    UndoStep("/containers/b/update"),
    UndoStep("/containers/c/exec"),
)


class Engine:
    """An engine that answers each path as it was told, and all else with success."""

    def __init__(self, answers: Mapping[str, tuple[int, object]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, object]:
        """One call."""
        del body
        self.asked.append(f"{method} {path}")
        return self.answers.get(path, (204, None))


def noted(directory: Path, *steps: UndoStep) -> Path:
    """An undo log of a session in a directory."""
    UndoLog(directory).note("fault-1", steps)
    return directory / UNDO_FILE


def test_refused_step_stays(tmp_path: Path) -> None:
    """A step that the engine refuses is told of, and is all that the log holds then."""
    file = noted(tmp_path, UNPAUSE, LIMIT)
    left = carry_out(tmp_path, Engine({LIMIT.path: (500, {"message": "device busy"})}))
    assert [each["path"] for each in json.loads(file.read_text())] == [LIMIT.path]
    assert "POST /containers/b/update: 500" in left[0]
    assert carry_out(tmp_path, Engine({})) == ()
    assert not file.exists()


def test_command_that_fails_stays(tmp_path: Path) -> None:
    """A command that the engine could start, and that ended badly, has taken nothing back."""
    noted(tmp_path, FLUSH)
    engine = Engine({FLUSH.path: (201, {"Id": "x"}), "/exec/x/json": (200, {"ExitCode": 4})})
    assert carry_out(tmp_path, engine) == ("POST /containers/c/exec: 400 its command ended with 4",)


@pytest.mark.parametrize("answer", [(404, None), (304, None), (500, {"message": "Container a is not paused"})])
def test_step_with_nothing_to_do_is_done(tmp_path: Path, answer: tuple[int, object]) -> None:
    """A container that is gone, runs, or does not stand still is as the step would make it."""
    file = noted(tmp_path, UNPAUSE)
    assert carry_out(tmp_path, Engine({UNPAUSE.path: answer})) == ()
    assert not file.exists()


def test_directory_with_something_to_undo_is_kept(tmp_path: Path) -> None:
    """The clean-up of a session whose engine is gone leaves the log, and nothing else, for the next clean-up."""
    directory = tmp_path / "session"
    (directory / "logs").mkdir(parents=True)
    (directory / "logs" / "a.log").write_text("x")
    (directory / "began").write_text("x")
    noted(directory, UNPAUSE)
    removed = remove_session("cafecafe", directory, {}, began_at_s=0, engine="unix:///nonexistent.sock")
    assert [path.name for path in directory.iterdir()] == [UNDO_FILE]
    assert not removed.whole
    assert removed.engine.left[0].startswith("to be undone: POST /containers/a/unpause: ")


@pytest.mark.anyio
async def test_fault_that_cannot_be_lifted_stays_in_the_log(
    local_stack: LocalStack, history: HistoryWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the drill could not lift is left to the clean-up; what it could is forgotten."""
    local_stack.undo_log = UndoLog(tmp_path)
    injector = injector_of(local_stack, history, link="client -> server", **{"is": "refused"}, for_s=0.1)
    lift = injector.effect.lift

    async def undo_steps() -> tuple[UndoStep, ...]:
        return (UNPAUSE,)

    async def refuse() -> None:
        raise HarnessError("the engine is away")

    monkeypatch.setattr(injector.effect, "undo_steps", undo_steps)
    with monkeypatch.context() as away:
        away.setattr(injector.effect, "lift", refuse)
        with pytest.raises(HarnessError, match="the engine is away"):
            await begin(injector)
    assert [each["path"] for each in json.loads((tmp_path / UNDO_FILE).read_text())] == [UNPAUSE.path]
    await lift()
    # The next drill's fault has the same name: it forgets its own steps alone.
    await begin(injector_of(local_stack, history, link="client -> server", **{"is": "refused"}, for_s=0.1))
    assert [each["path"] for each in json.loads((tmp_path / UNDO_FILE).read_text())] == [UNPAUSE.path]
