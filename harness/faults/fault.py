"""What every fault has, of a link or of a service: how people, features, documents and logs speak of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.validated import Strict


class Fault(Strict):
    """A fault, as pure data. Its effect (``harness/runtime/effects``) puts it on, observes it, and lifts it.

    Its fields are its settings, and ``kind``, a literal with a default: the name that scenarios use.

    Class attributes:
        TARGET: the kind of its target (``harness/scenario/targets.py``), and the key under which a scenario names it.
        LASTS: it is on for a time that the scenario names; otherwise it is lifted as soon as it is proven.
        SPELLED_FLAT: a scenario writes its settings beside its name, as in ``{gateway: order-held, times: 1}``;
            otherwise under it.
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
    SPELLED_FLAT: ClassVar[bool] = False
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

    @classmethod
    def sayings(cls) -> Mapping[str, Mapping[str, object]]:
        """For each phrase of a feature, the settings that it stands for beside those that stand in it."""
        return {phrase: {} for phrase in cls.PHRASES}

    def as_written(self) -> dict[str, object]:
        """The fault as a scenario writes it, with all of its settings."""
        settings = self.model_dump(exclude_none=True)
        return {settings.pop("kind"): settings}

    @classmethod
    def spellings(cls) -> Sequence[Mapping[str, object]]:
        """The JSON Schemas of how a scenario writes it with settings; none where it has no settings."""
        properties: dict[str, object] = cls.model_json_schema()["properties"]
        settings = {name: schema for name, schema in properties.items() if name != "kind"}
        if not settings:
            return ()
        inner = {
            "type": "object",
            "properties": settings,
            "required": cls.required_settings(),
            "additionalProperties": False,
        }
        return (
            {
                "type": "object",
                "description": cls.__doc__,
                "properties": {cls.name(): inner},
                "required": [cls.name()],
                "additionalProperties": False,
            },
        )

    @classmethod
    def required_settings(cls) -> list[str]:
        """The settings without which a scenario cannot name it."""
        return [name for name in cls.settings() if cls.model_fields[name].is_required()]

    @property
    def about(self) -> str:
        """The fault with its settings, in a word or two."""
        return self.ABOUT.format(**self.model_dump())
