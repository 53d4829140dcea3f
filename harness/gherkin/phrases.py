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
from harness.faults.registry import LINK_FAULTS, Fault
from harness.faults.service.cpu_limit import CpuLimit
from harness.faults.service.disk_full import DiskFull
from harness.faults.service.fault import ServiceFault
from harness.faults.service.kill import Kill
from harness.faults.service.memory_limit import MemoryLimit
from harness.faults.service.packet_loss import PacketLoss
from harness.faults.service.partition import Partition
from harness.faults.service.pause import Pause
from harness.faults.service.process_limit import ProcessLimit
from harness.faults.service.restart import Restart
from harness.faults.service.stop import Stop
from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.scenario.model import Injection
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, OrderAtBroker, TaskState, Trigger

Meaning = TypeVar("Meaning")
Phrases = Mapping[str, Callable[[re.Match[str]], Meaning]]
"""For each phrase, as a regular expression, what it means."""

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = rf"(\d+|{'|'.join(_ORDINALS)})"

LINK_PHRASES: Phrases[LinkFault] = {
    r"is refused": lambda _: Refused(),
    r"is reset": lambda _: Reset(),
    r"is blackholed": lambda _: Blackhole(),
    r"loses its answers": lambda _: AnswerLost(),
    r"(?:is|answers) (\d+) ms late": lambda found: Latency(delay_ms=int(found[1])),
    # A fault that has no words of its own yet.
    rf'is "({"|".join(LINK_FAULTS)})"': lambda found: LINK_FAULTS[found[1]].model_validate({}),
}

SERVICE_PHRASES: Phrases[ServiceFault] = {
    r"is killed": lambda _: Kill(),
    r"is stopped": lambda _: Stop(),
    r"is restarted": lambda _: Restart(),
    r"is (?:paused|frozen)": lambda _: Pause(),
    r"is (?:partitioned|cut off)": lambda _: Partition(),
    r"loses ([\d.]+) ?% of its packets": lambda found: PacketLoss(percent=float(found[1])),
    r"gets ([\d.]+) cores?": lambda found: CpuLimit(cpus=float(found[1])),
    r"gets (\d+) MiB of memory": lambda found: MemoryLimit(mib=int(found[1])),
    r"may have (\d+) process(?:es)?": lambda found: ProcessLimit(pids=int(found[1])),
    r"finds (/\S+) full": lambda found: DiskFull(path=found[1]),
    r"finds (/\S+) read-only": lambda found: VolumeReadOnly(path=found[1]),
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


DURATIONS: Phrases[dict[str, object]] = {
    # A fault that is over by itself.
    r"": lambda _: {},
    r"for ([\d.]+) s": lambda found: {"for_s": found[1]},
    r"until the run ends": lambda _: {"until": "run-ended"},
}


def injection(target: str, fault: str, lasts: str, start: str) -> Injection:
    """One fault of a scenario.

    Args:
        target: a link or a service, as the stack's file names it.
        fault: one of ``LINK_PHRASES`` or ``SERVICE_PHRASES``.
        lasts: one of ``DURATIONS``.
        start: one of ``TRIGGERS``.

    Raises:
        ScenarioError: there is no such fault or trigger, or its numbers are out of range.
    """
    is_link = "->" in target
    known: Phrases[Fault] = LINK_PHRASES if is_link else SERVICE_PHRASES
    try:
        return Injection.model_validate(
            {
                "link" if is_link else "service": target,
                "is": _meaning(known, fault, f"fault of a {'link' if is_link else 'service'}"),
                "from": _meaning(TRIGGERS, start, "start of a fault"),
                **_meaning(DURATIONS, lasts, "duration of a fault"),
            }
        )
    except ValidationError as cause:
        raise ScenarioError(f'"{target}" {fault} {lasts} {start}: {_first(cause)}') from cause


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
    raise ScenarioError(f"no phrase says {text!r} as the {kind}; there are: {known}")


def _task(task: str, state: str) -> TaskState:
    return TaskState.model_validate({"task": task, "state": state})


def _place(text: str) -> int:
    return _ORDINALS.index(text) + 1 if text in _ORDINALS else int(text)


def _first(cause: ValidationError) -> str:
    detail = cause.errors(include_url=False)[0]
    return f"{'.'.join(str(key) for key in detail['loc'])}: {detail['msg'].removeprefix('Value error, ')}"
