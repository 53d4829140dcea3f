"""Defects of a system of a few lines: two that a promise finds, and one of each kind that is not found."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Sabotage = Callable[[ModuleType, Any], None]


@dataclass
class Defect:
    """What the hook reads of a saboteur."""

    name: str
    sabotage: Sabotage
    promise: str = "acknowledged-once"
    kind: str = "things"
    about: str = "Things are not kept as they should be."
    scenarios: tuple[str, ...] = ("calm",)
    restarts: tuple[str, ...] = ("server",)

    @property
    def plants(self) -> dict[str, Sabotage]:
        """The one module that there is."""
        return {"things": self.sabotage}

    @property
    def targets(self) -> tuple[str, ...]:
        """Its name."""
        return tuple(self.plants)


def _keeps(how: Callable[[list[str], str], None]) -> Sabotage:
    def sabotage(module: ModuleType, acts: Any) -> None:
        def keep(thing: str) -> None:
            acts.acted()
            how(module.THINGS, thing)

        module.keep = keep  # type: ignore[attr-defined]

    return sabotage


def _drops_twice(module: ModuleType, acts: Any) -> None:
    module.drop = lambda _thing: acts.acted()  # type: ignore[attr-defined]


def _ends(_things: list[str], _thing: str) -> None:
    os._exit(1)


_DEFECTS = (
    Defect("ends_the_server", _keeps(_ends)),
    Defect("loses", _keeps(lambda _things, _thing: None)),
    Defect("doubles", _keeps(lambda things, thing: things.extend([thing, thing])), kind="doubles"),
    Defect("never_at_work", _drops_twice),
    Defect("harmless", _keeps(lambda things, thing: things.append(thing))),
    Defect("named_wrongly", _keeps(lambda things, thing: things.extend([thing, thing])), promise="bounded"),
)

SABOTEURS = {each.name: each for each in _DEFECTS}
