"""The description of a stack as a drill has it: with the names of images, the user's settings, and a seed."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.images import environment as images_env
from harness.runtime.cache import cache_directory
from harness.scenario.model import Scenario
from harness.stack.stack import Stack, load_stack

_SEEDS = 1_000_000


def any_seed() -> int:
    """A seed, when the user gave none."""
    return random.SystemRandom().randrange(_SEEDS)


def describe(path: Path, *, seed: int, relaxed: bool = False, runs_already: bool = False) -> Stack:
    """Read a stack as a drill has it.

    Args:
        path: the compose file.
        seed: the seed of everything random.
        relaxed: whether durability may be given up for speed, because no scenario takes a service down.
        runs_already: whether another program has started it, so that no secret of it may be made up.

    Raises:
        StackError: the file is missing or wrong.
    """
    return load_stack(
        path, variables(os.environ, seed, path.resolve().parent), relaxed=relaxed, runs_already=runs_already
    )


def variables(environment: Mapping[str, str], seed: int, project: Path | None = None) -> dict[str, str]:
    """What ``${NAME}`` in the compose file stands for.

    Args:
        environment: the user's, which comes before all else.
        seed: the seed of everything random.
        project: the compose file's folder, in whose cache the last build of images noted their names.
    """
    images = {} if project is None else images_env.read(cache_directory(project))
    return {**images, **environment, "HARNESS_SEED": str(seed)}


def needs_durability(scenarios: Sequence[Scenario]) -> bool:
    """Whether a fault of these scenarios is one of a service, which may have to live on what it has stored."""
    return any(injection.target_kind.needs_durability for scenario in scenarios for injection in scenario.faults)
