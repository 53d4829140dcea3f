"""What a stack's saboteurs declare, read from their own folder in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.errors import SetUpError, UsageError
from harness.stack.stack import Stack
from harness.validated import Strict

_PROGRAM = "saboteur_planting.py"
_DEADLINE_S = 30.0


class Declared(Strict):
    """A defect that can be planted, and who must find it.

    Args:
        name: what it is called.
        about: what is wrong with a system that has it, in one sentence.
        kind: under which heading it is counted.
        promise: the check that must find it.
        scenarios: those in which that check should; none for one that is not of the system.
        targets: the modules that it breaks.
        restarts: the services that must be started anew to have it, or to be rid of it.
    """

    name: str
    about: str
    kind: str
    promise: str
    scenarios: tuple[str, ...]
    targets: tuple[str, ...]
    restarts: tuple[str, ...]


def read_declared(stack: Stack) -> Mapping[str, Declared]:
    """Read every saboteur of a stack, by name; none where it has no hook.

    Raises:
        SetUpError: the folder of saboteurs cannot be loaded.
    """
    hook = stack.saboteur_hook
    if hook is None:
        return {}
    try:
        ran = subprocess.run(
            [sys.executable, str(hook / _PROGRAM)], capture_output=True, timeout=_DEADLINE_S, check=True
        )
        found = TypeAdapter(tuple[Declared, ...]).validate_json(ran.stdout)
    except subprocess.CalledProcessError as ended:
        said = ended.stderr.decode(errors="replace").strip()
        words = said.splitlines()[-1] if said else "no words"
        raise SetUpError(f"the saboteurs of {hook} cannot be listed: {words}") from ended
    except (OSError, subprocess.TimeoutExpired, ValidationError) as cause:
        raise SetUpError(f"the saboteurs of {hook} cannot be listed: {cause}") from cause
    return {each.name: each for each in found}


def chosen(declared: Mapping[str, Declared], names: Sequence[str], kind: str | None) -> tuple[Declared, ...]:
    """Pick the saboteurs that are asked for; all of the system's when none is named.

    Raises:
        UsageError: there is no such saboteur or kind; names those that there are.
    """
    unknown = [name for name in names if name not in declared]
    if unknown:
        raise UsageError(f"no saboteur {unknown[0]!r}; there are: {', '.join(sorted(declared)) or 'none'}")
    picked = [declared[name] for name in names] or [each for each in declared.values() if each.scenarios]
    of_kind = tuple(each for each in picked if kind in (None, each.kind))
    if not of_kind:
        kinds = ", ".join(sorted({each.kind for each in declared.values()}))
        raise UsageError(f"no saboteur of the class {kind!r}; classes are: {kinds or 'none'}")
    return of_kind


def find_hook_scenarios(stack: Stack) -> Path | None:
    """The folder of scenarios that were made for saboteurs, beside their files; None without a hook."""
    return None if stack.saboteur_hook is None else stack.saboteur_hook.parent / "scenarios"
