"""``python -m harness.reference``: write the tables of the documentation anew, in the project of this folder."""

from __future__ import annotations

from pathlib import Path

from harness.reference.pages import refreshed, stale_pages


def main() -> None:
    """Write each page that is stale."""
    for page in list(stale_pages(Path.cwd())):
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
