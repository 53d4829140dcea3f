"""What the phrases of a feature mean: faults, triggers, numbers and outcomes in the scenario's own model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import ScenarioError
from harness.faults.fault import Fault
from harness.faults.registry import known_faults
from harness.scenario.model import Injection
from harness.scenario.targets import kind_of
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, NthRequest, OrderAtBroker, TaskState, Trigger

Meaning = TypeVar("Meaning")
Phrases = Mapping[str, Callable[[re.Match[str]], Meaning]]
"""For each phrase, as a regular expression, what it means."""

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ORDINAL = rf"\d+|{'|'.join(_ORDINALS)}"
"""A place in a row, as a regular expression: ``third``, ``12``."""
_ORDINAL = rf"({ORDINAL})"
_LASTS = r"for [\d.]+ s|until the run ends"
_SETTING = re.compile(r"\{(\w+)\}")
_WRITTEN: Mapping[object, str] = {int: r"\d+", float: r"[\d.]+"}

TRIGGERS: Phrases[Trigger] = {
    r"": lambda _: BeforeRun(before="run"),
    r"(?:from )?before the run(?: on)?": lambda _: BeforeRun(before="run"),
    r"([\d.]+) s into the run": lambda found: AtTime(at_s=float(found[1])),
    r'once task "([^"]+)" is (\w+)': lambda found: _task(found[1], found[2]),
    r'once task "([^"]+)" has succeeded': lambda found: _task(found[1], "success"),
    r'once task "([^"]+)" has failed': lambda found: _task(found[1], "failed"),
    rf"once the broker has received (?:order|the) {_ORDINAL}(?: order)?": lambda found: OrderAtBroker(
        order=place(found[1])
    ),
    rf"once the {_ORDINAL} connection is made(?: over it)?": lambda found: NthConnection(connection=place(found[1])),
    rf"at the {_ORDINAL} order": lambda found: NthRequest(request="placeOrder", nth=place(found[1])),
    rf'at the {_ORDINAL} request "(\w+)"': lambda found: NthRequest(request=found[2], nth=place(found[1])),
}

OUTCOMES: Mapping[str, str] = {
    "a success": "success",
    "successful": "success",
    "success": "success",
    "degraded": "degraded",
    "a failure": "failed",
    "failed": "failed",
}

DURATIONS: Phrases[dict[str, object]] = {
    # A fault that is over by itself.
    r"": lambda _: {},
    r"for ([\d.]+) s": lambda found: {"for_s": found[1]},
    r"until the run ends": lambda _: {"until": "run-ended"},
}


def fault_phrases(target: str) -> Phrases[Fault]:
    """How faults of a kind of target are said; each fault carries its own phrases.

    Args:
        target: the kind of target (``harness/scenario/targets.py``).
    """
    faults = [fault for fault in known_faults().values() if target == fault.TARGET]
    said = {
        _pattern(phrase, fault): _meaning_of(fault, settings)
        for fault in faults
        for phrase, settings in fault.sayings().items()
    }
    by_name = {rf'is "{fault.name()}"': _meaning_of(fault, {}) for fault in faults}
    return said | by_name


def fault_step() -> str:
    """The step that plans a fault which lasts for a time, as a regular expression."""
    verbs = "|".join(sorted({phrase.partition(" ")[0] for phrase in _every_phrase(lasts=True)}))
    return rf'"(?P<target>[^"]+)" (?P<fault>(?:{verbs}) .+?) (?P<lasts>{_LASTS})(?: (?P<start>.+))?'


def momentary_fault_step() -> str:
    """The step that plans a fault which is over by itself, as a regular expression."""
    phrases = "|".join(re.escape(phrase) for phrase in _every_phrase(lasts=False))
    return rf'"(?P<target>[^"]+)" (?P<fault>{phrases})(?: (?P<start>.+))?'


def injection(target: str, fault: str, lasts: str, start: str) -> Injection:
    """One fault of a scenario.

    Args:
        target: a link or a service, as the stack's file names it.
        fault: one of ``fault_phrases``.
        lasts: one of ``DURATIONS``.
        start: one of ``TRIGGERS``.

    Raises:
        ScenarioError: there is no such fault or trigger, or its numbers are out of range.
    """
    kind = kind_of(target)
    return injection_of(
        {
            kind: target,
            "is": _meaning(fault_phrases(kind), fault, f"fault of a {kind}"),
            "from": _meaning(TRIGGERS, start, "start of a fault"),
            **_meaning(DURATIONS, lasts, "duration of a fault"),
        },
        said=f'"{target}" {fault} {lasts} {start}',
    )


def injection_of(written: Mapping[str, object], *, said: str) -> Injection:
    """One fault of a scenario, from its fields.

    Args:
        written: as a scenario's file has them.
        said: the step that means them.

    Raises:
        ScenarioError: they make no fault; names the step.
    """
    try:
        return Injection.model_validate(dict(written))
    except ValidationError as cause:
        raise ScenarioError(f"{said}: {first_of(cause)}") from cause


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


def _every_phrase(*, lasts: bool) -> Iterator[str]:
    for fault in known_faults().values():
        if fault.LASTS is lasts:
            yield from (*fault.sayings(), f'is "{fault.name()}"')


def _pattern(phrase: str, fault: type[Fault]) -> str:
    """A phrase as a regular expression, with a named group for each setting."""
    texts = _SETTING.split(phrase)
    # split() gives text and setting by turns.
    parts = [re.escape(text) if n % 2 == 0 else _group(text, fault) for n, text in enumerate(texts)]
    return "".join(parts).replace(r"\ ", " ")


def _group(setting: str, fault: type[Fault]) -> str:
    field = fault.model_fields.get(setting)
    written = r"[\w.-]+" if field is None else _WRITTEN.get(field.annotation, r"\S+")
    return f"(?P<{setting}>{written})"


def _meaning_of(fault: type[Fault], settings: Mapping[str, object]) -> Callable[[re.Match[str]], Fault]:
    return lambda found: fault.model_validate({**settings, **_said(fault, found.groupdict())})


def _said(fault: type[Fault], groups: Mapping[str, str]) -> dict[str, object]:
    """What a phrase says; a parameter, which is no setting of the fault's own, is a number where it looks like one."""
    return {name: text if name in fault.model_fields else _value(text) for name, text in groups.items()}


def _value(text: str) -> object:
    if re.fullmatch(r"\d+", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else text


def _meaning(phrases: Phrases[Meaning], text: str, kind: str) -> Meaning:
    for phrase, meaning in phrases.items():
        if found := re.fullmatch(phrase, text):
            try:
                return meaning(found)
            except ValidationError as cause:
                raise ScenarioError(f"{text}: {first_of(cause)}") from cause
    known = "; ".join(phrase for phrase in phrases if phrase)
    raise ScenarioError(f"no phrase says {text!r} as the {kind}; there are: {known}")


def _task(task: str, state: str) -> TaskState:
    return TaskState.model_validate({"task": task, "state": state})


def place(text: str) -> int:
    """A place in a row: ``first`` … ``tenth``, or digits."""
    return _ORDINALS.index(text) + 1 if text in _ORDINALS else int(text)


def first_of(cause: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    detail = cause.errors(include_url=False)[0]
    return f"{'.'.join(str(key) for key in detail['loc'])}: {detail['msg'].removeprefix('Value error, ')}"
