"""``python -m harness.reference``: write what is made from the registries anew, in the project of this folder."""

from __future__ import annotations

from pathlib import Path

from harness.reference.pages import refreshed, stale_pages
from harness.scenario.schema import SCHEMA_FILE, schema_text


def main() -> None:
    """Write each page that is stale, and the schema of scenario files."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    for page in list(stale_pages(Path.cwd())):
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
