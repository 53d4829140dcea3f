"""Which operations fail with which library, and why: each by name, so that none is hidden, and none stays listed."""

from __future__ import annotations

from collections.abc import Mapping

ALL = "every library"

_EMPTY_CLIENT_ID = "the gateway stub refuses a filter whose client id is empty"
# By operation, then by library.
EXPECTED_FAILURES: Mapping[str, Mapping[str, str]] = {
    "contract by local symbol": {ALL: "the gateway stub looks contracts up by symbol and id only"},
    "bars of an hour": {ALL: "the gateway stub has no bars below a day, and answers 162"},
    "bracket that waits, cancelled": {ALL: "the gateway stub knows no parent orders"},
    "bracket that fills": {ALL: "the gateway stub knows no parent orders"},
    "one cancels all": {ALL: "the gateway stub knows no OCA groups"},
    "profit and loss": {ALL: "the gateway stub answers 320 under id -1, which ends no call"},
    "error 201, beyond the buying power": {ALL: "the gateway stub refuses no order for want of money"},
    "error 110, price off the tick": {ALL: "the gateway stub takes any price"},
    "error 103, order id used before": {ALL: "the gateway stub takes the id of an order that is done"},
    "daily bars": {
        "rust_ibapi_2": "the library reads no zone behind the start and the end of a series below version 196"
    },
    "executions": {"stoqey_ib": _EMPTY_CLIENT_ID, "rust_ibapi_2": _EMPTY_CLIENT_ID},
    "order while disconnected": {
        "stoqey_ib": "the library says nothing: it holds what is asked of it until it is connected again",
        "rust_ibapi_2": "the library says nothing: it connects anew by itself",
    },
}
# Where nothing works.
_WHOLE_LIBRARIES = {"rust_ibapi_5": "the library speaks server versions from 213 on"}


def expected_failure(operation: str, library: str) -> str | None:
    """Return why an operation fails with a library, None if it works."""
    reasons = EXPECTED_FAILURES.get(operation, {})
    return _WHOLE_LIBRARIES.get(library) or reasons.get(library) or reasons.get(ALL)
