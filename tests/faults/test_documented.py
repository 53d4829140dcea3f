"""Every fault is documented, with its proof."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.faults.registry import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_documented_with_its_proof(name: str) -> None:
    """The page has a row for it that says what happens, how that is proven, and how the lift is."""
    rows = re.findall(rf"^\| `{re.escape(name)}` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].split(" | ")]
    assert len(cells) == 3
    assert all(cells)
