"""Which tries are made: each saboteur in each of its scenarios, and some drills without any."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import cycle, islice

from harness.saboteurs.declared import Declared, find_hook_scenarios
from harness.saboteurs.matrix import Try
from harness.scenario.loading import load_scenario
from harness.scenario.model import Scenario
from harness.stack.stack import Stack

_SCENARIOS = "scenarios"


def sample_of(saboteurs: Sequence[Declared], count: int | None, seed: int) -> tuple[Declared, ...]:
    """Draw some of the saboteurs, the same ones for the same seed; all of them when no count is given."""
    if count is None or count >= len(saboteurs):
        return tuple(saboteurs)
    drawn = set(random.Random(seed).sample([each.name for each in saboteurs], count))  # noqa: S311 - a sample
    return tuple(each for each in saboteurs if each.name in drawn)


def tries_of(stack: Stack, saboteurs: Sequence[Declared], *, sound: int) -> tuple[Try, ...]:
    """Plan a try for each scenario of each saboteur, and then drills without one, on the same scenarios by turns.

    Args:
        stack: what runs.
        saboteurs: in the order in which they are tried.
        sound: how many drills are made without one.

    Raises:
        ScenarioError: a saboteur names a scenario that does not exist, or that is wrong.
    """
    names = dict.fromkeys(name for each in saboteurs for name in each.scenarios)
    scenarios = {name: _load(stack, name) for name in names}
    with_one = tuple(Try(each, scenarios[name]) for each in saboteurs for name in each.scenarios)
    return (*with_one, *_without(scenarios, sound))


def _without(scenarios: Mapping[str, Scenario], count: int) -> tuple[Try, ...]:
    if not scenarios:
        return ()
    turns = enumerate(islice(cycle(scenarios.values()), count))
    return tuple(Try(None, scenario, 1 + place // len(scenarios)) for place, scenario in turns)


def _load(stack: Stack, name: str) -> Scenario:
    """Read a scenario that was made for saboteurs, or one of the stack's own."""
    own = find_hook_scenarios(stack)
    if own is not None and (own / f"{name}.yaml").is_file():
        return load_scenario(name, own, stack)
    return load_scenario(name, stack.project / _SCENARIOS, stack)
