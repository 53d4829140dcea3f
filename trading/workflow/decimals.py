"""Exact numbers out of a library that hands us floats."""

from __future__ import annotations

from decimal import Decimal


def exact(number: float | str | Decimal) -> Decimal:
    """Give the decimal that the gateway wrote.

    The gateway sends decimal text, of which ib_insync makes floats. The shortest text of such a float is the gateway's
    text again, for any price or quantity of up to 15 digits.
    """
    value = Decimal(str(number))
    return value.quantize(Decimal(1)) if value.is_finite() and value == value.to_integral_value() else value
