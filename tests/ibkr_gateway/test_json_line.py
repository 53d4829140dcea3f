"""A line of the ledger is the same, whether the rows of a message are kept or not."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from fixtures.ibkr_gateway.json_line import json_line
from fixtures.ibkr_gateway.protocol.codec import encode_payload
from fixtures.ibkr_gateway.protocol.layout import Message
from fixtures.ibkr_gateway.protocol.market_layouts import HISTORICAL_DATA
from fixtures.ibkr_gateway.protocol.wire import Values
from fixtures.ibkr_gateway.protocol.writer import KeptRows

ROW: Values = {"date": "20261120", "open": Decimal("1.5"), "close": Decimal(2), "volume": Decimal(100), "count": 3}
FRAME: Values = {"reqId": 1, "start": '"a\\\u2028\n', "end": "\U0001f600"}


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("version", [100, 178, 200, 205, 226])
def test_kept_rows_leave_no_trace(version: int, rows: int) -> None:
    """Rows that are written once and sent again stand in the frame and in the ledger as others do."""
    plain = Message(HISTORICAL_DATA, {**FRAME, "bars": (ROW,) * rows})
    kept = Message(HISTORICAL_DATA, {**FRAME, "bars": KeptRows((ROW,) * rows)})
    expected = encode_payload(plain, version)
    for _ in range(2):
        came = encode_payload(kept, version)
        assert came.payload == expected.payload
        line = json_line({"seq": 7, "fields": came.fields, "reason": None})
        assert line.count(b"\n") == 1
        assert json.loads(line) == {"seq": 7, "fields": list(expected.fields), "reason": None}
