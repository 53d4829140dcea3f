"""The page on orders says what the code does."""

from __future__ import annotations

from fixtures.ibkr_gateway.order_page import PAGE, TABLES, rendered


def test_page_has_the_tables_of_the_code() -> None:
    """Every table is there, between its markers, row for row."""
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in TABLES if f"<!-- orders: {name} -->" not in page] == []
    assert rendered(page) == page, "docs/gateway-orders.md: run `python -m fixtures.ibkr_gateway.order_page`"
