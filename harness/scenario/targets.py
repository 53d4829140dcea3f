"""Kinds of targets: what a fault may be on, how a scenario and a feature name it, and what of a stack it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.errors import StackError
from harness.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of target; its name is the key under which a scenario names a target, and ``TARGET`` of its faults.

    Args:
        written: a regular expression for a target's name, by which a feature tells the kinds apart.
        example: how a scenario writes it.
        name_in: a target's full name in a stack; raises ``StackError`` where the stack has none such.
        held_in: the links and services that a fault on a target holds while it is on.
        needs_durability: whether a fault of this kind may make a service live on what it has stored.
    """

    written: str
    example: str
    name_in: Callable[[Stack, str], str]
    held_in: Callable[[Stack, str], frozenset[str]]
    needs_durability: bool = False


def _link_name(stack: Stack, text: str) -> str:
    return str(stack.link(text))


def _service_name(stack: Stack, text: str) -> str:
    if text not in stack.services:
        raise StackError(f"{text!r} is not a service of the stack; there are: {', '.join(stack.services)}")
    return text


def _held_by_link(stack: Stack, text: str) -> frozenset[str]:
    return frozenset({_link_name(stack, text)})


def _held_by_service(stack: Stack, text: str) -> frozenset[str]:
    return frozenset({text, *(str(link) for link in stack.links_to(text))})


TARGET_KINDS: Mapping[str, TargetKind] = {
    "link": TargetKind(r".*->.*", "link: client -> server", _link_name, _held_by_link),
    "service": TargetKind(r"[^>]*", "service: NAME", _service_name, _held_by_service, needs_durability=True),
}


def kind_of(target: str) -> str:
    """The kind of a target that a feature names.

    Raises:
        StackError: no kind of target is written like that.
    """
    for name, kind in TARGET_KINDS.items():
        if re.fullmatch(kind.written, target):
            return name
    raise StackError(
        f"{target!r} names no target; it may be: {', '.join(kind.example for kind in TARGET_KINDS.values())}"
    )
