"""The command that does a drill again."""

from __future__ import annotations

from pathlib import Path

from harness.runtime.running import RuntimeName

DEFAULT_STACK = Path("docker-compose.test.yml")


def drill_again(
    scenario: str | Path, *, seed: int, stack: Path, runtime: RuntimeName, project: str | None = None
) -> str:
    """The command line of a drill; what is so by default is not named in it.

    Args:
        scenario: its name, or its file.
        seed: the seed of everything random.
        stack: the compose file.
        runtime: how the stack runs.
        project: the Compose project that runs it, and goes on running.
    """
    options = f" --stack {_as_typed_here(stack)}" if stack.name != DEFAULT_STACK.name else ""
    if project is not None:
        options += f" --attach {project}"
    elif runtime is not RuntimeName.LOCAL:
        options += f" --runtime {runtime}"
    return f"harness drill {scenario} --seed {seed}{options}"


def _as_typed_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
