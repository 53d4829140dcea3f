"""The words that were decided against, and what is said in their place."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Word:
    """A word that was decided against.

    Args:
        pattern: a regular expression for it, in lower case; it stands alone, or as a part of a name.
        instead: what to say.
        only_names: whether it is wrong in names of the code alone, because it is an honest word of English.
        but_not: a regular expression for where the word means something else, matched against the whole line.
    """

    pattern: str
    instead: str
    only_names: bool = False
    but_not: str = "(?!)"

    @functools.cached_property
    def _wrong(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![a-z])(?:{self.pattern})(?![a-z])")

    def found_in(self, text: str) -> bool:
        """Say whether a text has it, in a sentence or as a part of a name (``link_grip``, ``LinkGrip``)."""
        if self._wrong.search(words_apart(text)) is None:
            return False
        return self._wrong.search(words_apart(re.sub(self.but_not, " ", text))) is not None


@functools.cache
def words_apart(text: str) -> str:
    """Give a text in lower case, the words of its names apart: ``LinkGrip`` becomes ``link grip``."""
    return _BETWEEN_WORDS.sub(" ", text).lower()


WORDS = (
    # Who does what: a sentence that names the doer needs none of these. "nobody" is also an account of Unix, and the
    # name of what does not exist in addresses of tests.
    Word("whoever|whomever", "name who does it"),
    Word("somebody|someone else's", "name who does it"),
    Word(
        "nobody",
        "name who does not, or say that nothing does",
        but_not=r"\"nobody\"|//user@|\bnobody\.(?:sock|invalid)\b",
    ),
    Word("anybody", "name who might"),
    Word("whatever", "name what it is, or say `any`"),
    # One word for one thing.
    Word("grips?", "effect"),
    Word("keepers?", "daemon"),
    Word("survivors?", "process tree, or leftovers"),
    Word("side[-_]car", "sidecar"),
    Word("bites?|bitten|biting", "hit"),
    # A bit is also a binary digit.
    Word("bit", "hit", but_not=r"`(?:fault_)?bit`|\bbit_length\b|\b_flip_bit\b|\bbitNumber\b|\b\d+[- ]bit\b"),
    Word("canary|canaries", "link probe"),
    Word("knock(?:s|ed|ing)?", "probe"),
    Word("last[_ ]wills?", "undo log"),
    Word("let_go|lets? go of|letting go of", "release"),
    Word("let_be", "release"),
    Word("demand", "require", only_names=True),
    Word("demands? that", "require that"),
    Word("readdress(?:ed|es)?", "rewrite_addresses"),
    Word("strangers?", "orphans, or what they are"),
    Word("met (?:it|them|the fault|no fault)", "was hit, or the fault hit them"),
    # These are honest English, and were names of the wrong thing.
    Word("doors?", "endpoint", only_names=True),
    Word("adopt(?:s|ed|ing)?", "attach"),
    Word("precedence", "start order", only_names=True),
    Word("assembly", "container factory", only_names=True),
    Word("sights?", "observation", only_names=True),
    Word("pointer", "state file", only_names=True),
)
"""In the order of the project's decisions.

Left out, because they are everyday English and good names elsewhere, so that no rule can tell the old meaning from an
honest one: bits (binary digits), look, seen, kept, turn.
"""
