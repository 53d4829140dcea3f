"""The client libraries that the gateway is held to, and what each is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

LibraryName: TypeAlias = str


class Language(StrEnum):
    """What a library and its driver are written in."""

    PYTHON = "Python"
    NODE = "Node.js"
    RUST = "Rust"


@dataclass(frozen=True, slots=True)
class Library:
    """One client library.

    Args:
        name: as files, environments and tests are called.
        title: as its registry calls it, with the version.
        language: what it is written in.
        newest: the newest server version that it speaks.
    """

    name: LibraryName
    title: str
    language: Language
    newest: int


_ALL = (
    Library("ib_insync", "ib_insync 0.9.86", Language.PYTHON, 176),
    Library("ib_async", "ib_async 2.1.0", Language.PYTHON, 178),
    Library("ibapi", "ibapi 9.81.1", Language.PYTHON, 157),
    Library("ibapi_latest", "ibapi-latest 10.51.1", Language.PYTHON, 226),
    Library("nautilus_ibapi", "nautilus-ibapi 10.46.1", Language.PYTHON, 225),
    Library("stoqey_ib", "@stoqey/ib 1.6.10", Language.NODE, 193),
    Library("rust_ibapi_2", "ibapi 2.11.2 (crates.io)", Language.RUST, 200),
    Library("rust_ibapi_5", "ibapi 5.5.0 (crates.io)", Language.RUST, 226),
)
LIBRARIES = {library.name: library for library in _ALL}
"""Every library that is driven by operations, in the order of the table."""
