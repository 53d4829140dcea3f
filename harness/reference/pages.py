"""The pages: where a table stands between its marks, it is written anew; everything else stays as people wrote it.

<!-- table: triggers -->
…
<!-- end of table -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.reference.rows import Rows
from harness.reference.tables import TABLES

_TABLE = re.compile(r"(?P<begin><!-- table: (?P<name>[\w -]+) -->\n).*?(?P<end><!-- end of table -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """A page with every table in it made anew.

    Raises:
        UsageError: it names a table that there is not.
    """
    return _TABLE.sub(_made_anew, text)


def stale_pages(project: Path) -> Iterator[Path]:
    """The pages of a project that are not as they would be made now."""
    for page in pages(project):
        text = page.read_text(encoding="utf-8")
        if refreshed(text) != text:
            yield page


def pages(project: Path) -> list[Path]:
    """The pages that may hold tables."""
    return [project / "README.md", *sorted((project / "docs").glob("*.md"))]


def markdown_table(rows: Rows) -> str:
    """Rows as Markdown; a bar in a cell is escaped."""
    head, *body = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    rule = " | ".join("---" for _ in rows[0])
    return "".join(f"| {line} |\n" for line in (head, rule, *body))


def _made_anew(found: re.Match[str]) -> str:
    name = found["name"]
    if name not in TABLES:
        raise UsageError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    return f"{found['begin']}{markdown_table(TABLES[name]())}{found['end']}"
