"""The tables of the documentation are what the registries say now."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checks.registry import BUILT_IN as PROMISES
from harness.checks.registry import PROOFS
from harness.errors import UsageError
from harness.faults.registry import BUILT_IN as FAULTS
from harness.reference.pages import markdown_table, pages, refreshed, stale_pages
from harness.reference.tables import TABLES
from harness.scenario.triggers import TRIGGERS

PROJECT = Path(__file__).parents[2]


def test_no_page_is_stale() -> None:
    """`python -m harness.reference` writes them."""
    assert list(stale_pages(PROJECT)) == []


def test_every_table_stands_on_a_page() -> None:
    """A table that no page shows documents nothing."""
    text = "".join(page.read_text(encoding="utf-8") for page in pages(PROJECT))
    assert [name for name in TABLES if f"<!-- table: {name} -->" not in text] == []


@pytest.mark.parametrize(
    ("names", "tables"),
    [
        (FAULTS, ("faults",)),
        ({*PROMISES, *PROOFS}, ("promises", "proofs")),
        ({trigger.EXAMPLE for trigger in TRIGGERS.values()}, ("triggers",)),
    ],
)
def test_every_entry_of_a_registry_has_one_row(names: object, tables: tuple[str, ...]) -> None:
    """Each entry of a registry stands in exactly one of its tables, and every cell of its row says something."""
    rows = [row for table in tables for row in TABLES[table]()[1:]]
    assert sorted(row[0].strip("`") for row in rows) == sorted(names)  # type: ignore[call-overload]
    assert all(cell for row in rows for cell in row)


def test_page_keeps_what_people_wrote() -> None:
    """Only what stands between the marks is written anew, and a second time changes nothing."""
    page = "Before.\n<!-- table: triggers -->\nold\n<!-- end of table -->\nAfter.\n"
    once = refreshed(page)
    assert once.startswith("Before.\n<!-- table: triggers -->\n| `from:` | the fault starts |\n")
    assert once.endswith("<!-- end of table -->\nAfter.\n")
    assert refreshed(once) == once


def test_unknown_table_is_refused() -> None:
    """A mark that names no table is an error, not a page that stays as it is."""
    with pytest.raises(UsageError, match="no table 'weather'"):
        refreshed("<!-- table: weather -->\n<!-- end of table -->\n")


def test_bar_in_a_cell_does_not_end_it() -> None:
    """Markdown would take it for the border of a cell."""
    assert markdown_table([("a",), ("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"
