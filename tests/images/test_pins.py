"""What the images install is what the project is tested with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
REQUIREMENTS = sorted(
    [
        *(ROOT / "fixtures" / "images").glob("*/requirements.txt"),
        *(ROOT / "harness" / "images").rglob("requirements.txt"),
    ]
)
_PIN = re.compile(r"^([\w.-]+==[\w.]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=(sha256:\w+)")


@pytest.mark.parametrize("requirements", REQUIREMENTS, ids=[path.parent.name for path in REQUIREMENTS])
def test_every_pin_of_an_image_is_one_of_the_lock(requirements: Path) -> None:
    """A version that only an image has would never be tested."""
    text, lock = requirements.read_text(), LOCK.read_text()
    assert _PIN.findall(text)
    assert set(_PIN.findall(text)) <= set(_PIN.findall(lock))
    assert set(_HASH.findall(text)) <= set(_HASH.findall(lock))


@pytest.mark.parametrize("requirements", REQUIREMENTS, ids=[path.parent.name for path in REQUIREMENTS])
def test_requirements_name_no_place(requirements: Path) -> None:
    """Where packages come from is each machine's own setting."""
    assert not re.findall(r"https?://|--(?:index|extra-index|find-links)\S*", requirements.read_text())
