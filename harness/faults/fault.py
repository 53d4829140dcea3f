"""What every fault has, of a link or of a service: how people, features, documents and logs speak of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.validated import Strict


class Fault(Strict):
    """A fault, as pure data. Its effect (``harness/runtime/effects``) puts it on, observes it, and lifts it.

    Its fields are its settings, and ``kind``, a literal with a default: the name that scenarios use.

    Class attributes:
        TARGET: the kind of its target (``harness/scenario/targets.py``), and the key under which a scenario names it.
        LASTS: it is on for a time that the scenario names; otherwise it is lifted as soon as it is proven.
        PROBE_OUTCOMES: what a probe of the target may come to while the fault is on, of ``answered``, ``refused``,
            ``reset``, ``ended`` and ``silent``; empty where a probe tells nothing.
        IN_LOGS: a regular expression for how the log of a service that meets the fault over a link names it.
        IN_OWN_LOG: another for what a service that is the target tells by itself; empty when it can know nothing.
        ABOUT: the fault in a word or two, for tables; settings stand in braces, as in ``{delay_ms} ms late``.
        SENTENCE: what happens, for people; begins in lower case.
        PHRASES: how a feature says it after the target's name; settings stand in braces.
        PROOF_ON: how it is proven to be on, for the documentation.
        PROOF_HEALED: how it is proven to be gone, for the documentation.
    """

    TARGET: ClassVar[str]
    LASTS: ClassVar[bool] = True
    PROBE_OUTCOMES: ClassVar[frozenset[str]] = frozenset()
    IN_LOGS: ClassVar[str]
    IN_OWN_LOG: ClassVar[str] = ""
    ABOUT: ClassVar[str]
    SENTENCE: ClassVar[str]
    PHRASES: ClassVar[tuple[str, ...]]
    PROOF_ON: ClassVar[str]
    PROOF_HEALED: ClassVar[str]

    @classmethod
    def name(cls) -> str:
        """The name that scenarios use."""
        return str(cls.model_fields["kind"].default)

    @classmethod
    def settings(cls) -> tuple[str, ...]:
        """The names of its settings."""
        return tuple(name for name in cls.model_fields if name != "kind")

    @classmethod
    def effects(cls) -> Mapping[str, type[object]]:
        """Which effect makes it true, by the runtime's name: for a fault of a service from another package.

        Our own stand in ``harness/runtime/effects/registry.py``; a fault of a link needs none of its own.
        """
        return {}

    @property
    def about(self) -> str:
        """The fault with its settings, in a word or two."""
        return self.ABOUT.format(**self.model_dump())
