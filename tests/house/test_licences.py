"""Every package that the project installs may be used, changed and passed on beside the project's own code."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from tests.house.sources import ROOT

_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)
# SPDX identifiers of permissive licences, and of those whose conditions end at their own files or libraries.
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "ZPL-2.1",
    "Zlib",
}
# How packages that state no SPDX identifier call the same licences.
OTHER_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Packages whose own words are not enough, each with what allows it.
EXCEPTIONS = {
    "ibapi-latest": "under IB's licence for non-commercial use: the gateway stub reads its message definitions where they"
    " lie, no part of it is kept here or passed on, and without it the stub speaks the text versions alone",
    "text-unidecode": "under the Artistic License or the GPL, as its user chooses: the former is permissive",
}
PINNED = set(_PINNED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))


def _is_installed(name: str) -> bool:
    """Say whether a package is here: some are pinned for other machines than this one."""
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _licences(package: metadata.PackageMetadata) -> set[str]:
    """Give the licences that a package names: by SPDX expression, else by classifiers, else in its own words."""
    if "License-Expression" in package:
        return set(re.split(r" (?:AND|OR) ", package["License-Expression"]))
    classified = [each for each in package.get_all("Classifier") or [] if each.startswith("License ::")]
    words = {each.rpartition(" :: ")[2] for each in classified} - {"OSI Approved"}
    if not words and "License" in package:
        words = {package["License"].strip().partition("\n")[0]}
    return {OTHER_WORDS.get(word, word) for word in words}


@pytest.mark.parametrize("name", sorted(filter(_is_installed, PINNED)))
def test_licence_is_allowed(name: str) -> None:
    """Each package names a licence that is permissive, or is an exception with a reason."""
    licences = _licences(metadata.metadata(name))
    assert name in EXCEPTIONS or (licences and licences <= ALLOWED), (
        f"requirements.lock: {name} is under {sorted(licences) or 'no licence that it names'}: "
        "do without it, or add the licence to ALLOWED, or the package with its reason to EXCEPTIONS"
    )


def test_exceptions_are_needed() -> None:
    """An exception for a package that is not pinned any more is taken off the list."""
    assert set(EXCEPTIONS) <= PINNED, f"take off the list EXCEPTIONS: {sorted(set(EXCEPTIONS) - PINNED)}"
