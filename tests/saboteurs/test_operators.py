"""An operator breaks the one place that it is for, tells when the defect shows, and is an error without its place."""

from __future__ import annotations

import asyncio
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.saboteurs import operators
from fixtures.saboteurs.operators import Operator, mutated, together

_SOURCE = '''
from __future__ import annotations

class Full(Exception):
    """No room."""

class Till:
    def __init__(self):
        self.money, self.log = 0, []

    def put(self, amount):
        if amount > 100:
            raise Full(f"{amount} is more than 100 fit in")
        self.log.append("put")
        self.money += amount
        return self.money

    @property
    def total(self):
        return self.money

    def sums(self):
        def one(amount):
            return amount + 1
        return [one(amount) for amount in (1, 2)]

async def wait(seconds):
    words = "waited"
    return f"{words} {seconds} s"
'''


class _Heard:
    """Counts how often a defect showed."""

    def __init__(self) -> None:
        self.count = 0
        self.is_first = False

    def acted(self, value: Any = None) -> Any:
        self.count += 1
        return value

    def is_first_run(self, run: str = "") -> bool:
        return self.is_first and not run

    def first_run(self) -> str:
        return "the first"


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """A module to break."""
    file = tmp_path / "till.py"
    file.write_text(_SOURCE)
    spec = spec_from_file_location("till", file)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def heard() -> _Heard:
    """Who listens to the defect."""
    return _Heard()


@pytest.mark.parametrize(
    ("operator", "money", "log"),
    [
        (operators.dropped("self.log.append('put')"), 10, []),
        (operators.twice("self.money += amount"), 20, ["put"]),
        (operators.replaced("amount > 100", "acted(True)"), "Full", []),
        (operators.instead("self.money += amount", "self.money += acted(amount) * 3"), 30, ["put"]),
        (operators.preceded("self.money += amount", "amount = acted(1)"), 1, ["put"]),
        (operators.followed("self.money += amount", "self.money -= acted(1)"), 9, ["put"]),
        (operators.always("amount > 100"), "Full", []),
        (operators.reworded("put", "get"), 10, ["get"]),
    ],
)
def test_operator_breaks_its_place(
    module: ModuleType, heard: _Heard, operator: Operator, money: object, log: list[str]
) -> None:
    """The method does what the operator makes of it, in objects that were there before as well, and says so."""
    till = module.Till()
    mutated("Till.put", operator)(module, heard)
    try:
        till.put(10)
        came: object = till.money
    except module.Full:
        came = "Full"
    assert (came, till.log, heard.count > 0) == (money, log, True)


def test_check_that_is_skipped_tells_only_of_what_it_lets_pass(module: ModuleType, heard: _Heard) -> None:
    """The defect is at work when the check would have held something up, and not before."""
    mutated("Till.put", operators.never("amount > 100"))(module, heard)
    till = module.Till()
    assert (till.put(10), heard.count) == (10, 0)
    assert (till.put(500), heard.count) == (510, 1)


def test_swallowed_error_is_noted(module: ModuleType, heard: _Heard) -> None:
    """An error inside the statement ends there."""
    mutated("Till.put", operators.swallowed("self.log.append('put')"))(module, heard)
    till = module.Till()
    till.log = None
    assert (till.put(10), heard.count) == (10, 1)


def test_numbers_are_widened_and_miscounted(module: ModuleType, heard: _Heard) -> None:
    """A time becomes many times as long, and a count is one too many."""
    sabotage = together(
        mutated("wait", operators.widened("seconds", 10)), mutated("Till.total", operators.off_by("self.money", 1))
    )
    sabotage(module, heard)
    assert asyncio.run(module.wait(2)) == "waited 20 s"
    assert (module.Till().total, heard.count) == (1, 2)


def test_inner_function_is_broken_through_its_outer_one(module: ModuleType, heard: _Heard) -> None:
    """A place may lie in a function of a function."""
    mutated("Till.sums.one", operators.off_by("amount + 1", 5))(module, heard)
    assert (module.Till().sums(), heard.count) == ([7, 8], 2)


def test_text_in_a_formatted_one_is_reworded(module: ModuleType, heard: _Heard) -> None:
    """What stands between the values of a formatted text is a text, too."""
    mutated("wait", operators.reworded(" s", " hours"))(module, heard)
    assert (asyncio.run(module.wait(2)), heard.count) == ("waited 2 hours", 1)


def test_first_run_is_left_whole(module: ModuleType, heard: _Heard) -> None:
    """A defect for later runs waits until the first one is over."""
    mutated("Till.put", operators.dropped("self.money += amount"), later=True)(module, heard)
    heard.is_first = True
    assert (module.Till().put(10), heard.count) == (10, 0)
    heard.is_first = False
    assert (module.Till().put(10), heard.count) == (0, 1)


@pytest.mark.parametrize(
    ("place", "operator", "words"),
    [
        ("Till.take", operators.dropped("pass"), "there is no Till.take"),
        ("Till.put", operators.dropped("self.log.append('took')"), "Till.put has the operator's place 0 times"),
        ("Till.put", operators.replaced("amount", "acted(1)"), "times, expected once"),
    ],
)
def test_place_that_is_not_there_once_is_an_error(
    module: ModuleType, heard: _Heard, place: str, operator: Operator, words: str
) -> None:
    """A system that has changed has no defect that is none."""
    with pytest.raises(LookupError, match=words):
        mutated(place, operator)(module, heard)
