"""What the phrases of a feature mean: faults, triggers, numbers and outcomes in the scenario's own model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import ScenarioError
from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.blackhole import Blackhole
from harness.faults.link.fault import LinkFault
from harness.faults.link.latency import Latency
from harness.faults.link.refused import Refused
from harness.faults.link.reset import Reset
from harness.faults.registry import LINK_FAULTS
from harness.scenario.model import Injection
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, OrderAtBroker, TaskState, Trigger

Meaning = TypeVar("Meaning")
Phrases = Mapping[str, Callable[[re.Match[str]], Meaning]]
"""For each phrase, as a regular expression, what it means."""

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = rf"(\d+|{'|'.join(_ORDINALS)})"

FAULTS: Phrases[LinkFault] = {
    r"is refused": lambda _: Refused(),
    r"is reset": lambda _: Reset(),
    r"is blackholed": lambda _: Blackhole(),
    r"loses its answers": lambda _: AnswerLost(),
    r"(?:is|answers) (\d+) ms late": lambda found: Latency(delay_ms=int(found[1])),
    # A fault that has no words of its own yet.
    rf'is "({"|".join(LINK_FAULTS)})"': lambda found: LINK_FAULTS[found[1]].model_validate({}),
}

TRIGGERS: Phrases[Trigger] = {
    r"": lambda _: BeforeRun(before="run"),
    r"(?:from )?before the run(?: on)?": lambda _: BeforeRun(before="run"),
    r"([\d.]+) s into the run": lambda found: AtTime(at_s=float(found[1])),
    r'once task "([^"]+)" is (\w+)': lambda found: _task(found[1], found[2]),
    r'once task "([^"]+)" has succeeded': lambda found: _task(found[1], "success"),
    r'once task "([^"]+)" has failed': lambda found: _task(found[1], "failed"),
    rf"once the broker has received (?:order|the) {_ORDINAL}(?: order)?": lambda found: OrderAtBroker(
        order=_place(found[1])
    ),
    rf"once the {_ORDINAL} connection is made(?: over it)?": lambda found: NthConnection(connection=_place(found[1])),
}

OUTCOMES: Mapping[str, str] = {
    "a success": "success",
    "successful": "success",
    "success": "success",
    "degraded": "degraded",
    "a failure": "failed",
    "failed": "failed",
}


def injection(link: str, fault: str, for_s: str, start: str) -> Injection:
    """One fault of a scenario.

    Args:
        link: the link, as the stack's file names it.
        fault: one of ``FAULTS``.
        for_s: how long, in seconds.
        start: one of ``TRIGGERS``.

    Raises:
        ScenarioError: there is no such fault or trigger, or its numbers are out of range.
    """
    try:
        return Injection(
            link=link,
            fault=_meaning(FAULTS, fault, "fault"),
            start=_meaning(TRIGGERS, start, "start of a fault"),
            for_s=float(for_s),
        )
    except ValidationError as cause:
        raise ScenarioError(f'"{link}" {fault} for {for_s} s {start}: {_first(cause)}') from cause


def count(text: str) -> int:
    """A number of things: ``no``, ``one`` … ``ten``, or digits.

    Raises:
        ScenarioError: it is none of them.
    """
    if text in _COUNTS:
        return _COUNTS.index(text)
    if not text.isdecimal():
        raise ScenarioError(f"{text!r} is not a number of things; write digits, or {', '.join(_COUNTS)}")
    return int(text)


def outcome(text: str) -> str:
    """How a run reports itself, in the system's own word.

    Raises:
        ScenarioError: there is no such outcome.
    """
    try:
        return OUTCOMES[text]
    except KeyError:
        raise ScenarioError(f"a run never reports itself as {text!r}; it may be: {', '.join(OUTCOMES)}") from None


def symbols(text: str) -> list[str]:
    """The symbols in ``AAPL``, ``AAPL and MSFT``, ``AAPL, MSFT and IBM``."""
    return [symbol for symbol in re.split(r",\s*|\s+and\s+", text.strip()) if symbol]


def scenario_name(test: str) -> str:
    """A scenario's name, from the name of the test that pytest-bdd made for it."""
    return re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_")).strip("-")[:64].rstrip("-") or "scenario"


def _meaning(phrases: Phrases[Meaning], text: str, kind: str) -> Meaning:
    for phrase, meaning in phrases.items():
        if found := re.fullmatch(phrase, text):
            return meaning(found)
    known = "; ".join(phrase for phrase in phrases if phrase)
    raise ScenarioError(f"{text!r} is not the {kind} of any phrase; there are: {known}")


def _task(task: str, state: str) -> TaskState:
    return TaskState.model_validate({"task": task, "state": state})


def _place(text: str) -> int:
    return _ORDINALS.index(text) + 1 if text in _ORDINALS else int(text)


def _first(cause: ValidationError) -> str:
    detail = cause.errors(include_url=False)[0]
    return f"{'.'.join(str(key) for key in detail['loc'])}: {detail['msg'].removeprefix('Value error, ')}"
