"""What clients might send: noise, and whole sessions damaged in every way that a wire, a bug or malice knows.

A stream is made from a seed and its number alone, so that any of ten thousand can be made again by itself.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fixtures.ibkr_gateway.protocol.catalogue import REQUESTS
from fixtures.ibkr_gateway.protocol.framing import pack
from fixtures.ibkr_gateway.protocol.layout import Layout, Message, encode
from fixtures.ibkr_gateway.protocol.nodes import NEWEST_VERSION, OLDEST_VERSION
from fixtures.ibkr_gateway.protocol.order_requests import PLACE_ORDER
from fixtures.ibkr_gateway.protocol.session_layouts import START_API
from fixtures.ibkr_gateway.protocol.wire import Values
from tests.ibkr_gateway.damage import BYTE_DAMAGE, EXTREMES, FIELD_DAMAGE, FRAME_DAMAGE

# Far from the ids of the tests' own clients, and one for each stream.
FIRST_CLIENT_ID = 1000
VERSIONS = range(OLDEST_VERSION, NEWEST_VERSION + 1)

_STOCK: Values = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}
_OPTION: Values = {**_STOCK, "secType": "OPT", "lastTradeDate": "20270115", "strike": Decimal(150), "right": "C"}
_VALUES: Mapping[str, Values] = {
    "placeOrder": {
        **_STOCK,
        "action": "BUY",
        "totalQuantity": Decimal(10),
        "orderType": "LMT",
        "lmtPrice": Decimal("431.07"),
        "auxPrice": Decimal("431.07"),
        "tif": "DAY",
        "orderRef": "storm",
        "transmit": True,
    },
    "reqContractDetails": _STOCK,
    "reqHistoricalData": {
        **_STOCK,
        "barSize": "1 day",
        "duration": "10 D",
        "whatToShow": "TRADES",
        "formatDate": 1,
        "useRTH": True,
    },
    "reqMktData": {**_STOCK, "snapshot": True},
    "reqHeadTimestamp": {**_STOCK, "whatToShow": "TRADES", "useRTH": True, "formatDate": 1},
    "reqHistogramData": {**_STOCK, "useRTH": True, "period": "1 day"},
    "reqRealTimeBars": {**_STOCK, "barSize": 5, "whatToShow": "TRADES"},
    "reqHistoricalTicks": {
        **_STOCK,
        "endDateTime": "20261119-15:00:00",
        "numberOfTicks": 5,
        "whatToShow": "TRADES",
        "useRTH": True,
    },
    "reqTickByTickData": {**_STOCK, "tickType": "AllLast"},
    "reqMktDepth": {**_STOCK, "numberOfRows": 2, "isSmart": True},
    "calculateImpliedVolatility": {**_OPTION, "optionPrice": Decimal(290), "underPrice": Decimal(430)},
    "calculateOptionPrice": {**_OPTION, "volatility": Decimal("0.3"), "underPrice": Decimal(430)},
    "exerciseOptions": _OPTION,
    "reqSecDefOptParams": {"symbol": "AAPL", "secType": "STK", "conId": 265598},
    "reqMatchingSymbols": {"pattern": "AA"},
    "reqMarketRule": {"ruleId": 26},
    "reqSmartComponents": {"bboExchange": "9c0001"},
    "reqScannerSubscription": {"instrument": "STK", "scanCode": "TOP_PERC_GAIN", "numberOfRows": 3},
    "reqPnLSingle": {"conId": 265598},
    "reqFundamentalData": _STOCK,
    "reqAccountUpdates": {"subscribe": True},
    "reqAccountSummary": {"group": "All", "tags": "NetLiquidation,$LEDGER:ALL"},
    "reqExecutions": {"clientId": 0, "time": "20261119-00:00:00"},
    "reqMarketDataType": {"type": 1},
    "reqIds": {"count": 1},
    "setServerLogLevel": {"level": 2},
}


@dataclass(frozen=True, slots=True)
class Stream:
    """What one connection sends, and how it ends.

    Args:
        name: enough to make it again.
        pieces: what is written, one after the other.
        ending: ``eof`` says that nothing more comes and reads on, ``reset`` is gone without a word, ``stay`` keeps the
            connection open and silent.
    """

    name: str
    pieces: tuple[bytes, ...]
    ending: str = "eof"

    def __str__(self) -> str:
        sent = "|".join(piece.hex() for piece in self.pieces)
        return f"{self.name}, which ends with {self.ending} after the bytes {sent}"


def sweep(layout: Layout) -> Iterator[Stream]:
    """Make a stream for each field of a request, in which that field takes each extreme text in turn."""
    for place in range(len(_fields(layout, NEWEST_VERSION, 1))):
        version = VERSIONS[place % len(VERSIONS)]
        swept = [_fields(layout, version, request_id) for request_id in range(1, len(EXTREMES) + 1)]
        for fields, extreme in zip(swept, EXTREMES, strict=True):
            fields[place : place + 1] = [extreme]
        start = encode(Message(START_API, {"clientId": FIRST_CLIENT_ID + place}), version)
        # An order, so that there is something to answer about.
        before = [] if layout is START_API else [start, _fields(PLACE_ORDER, version, len(EXTREMES) + 1)]
        frames = _packed([[f"v157..{version}"], *before, *swept])
        yield Stream(f"the sweep of field {place} of {layout.name} at version {version}", (b"".join(frames),))


def random_stream(seed: int, number: int) -> Stream:
    """Make a stream: one in ten is noise, one in ten an undamaged session, the others are damaged ones."""
    choice = random.Random(f"{seed}:{number}")  # noqa: S311 - a reproducible schedule, not secrets
    match choice.randrange(10):
        case 0:
            sent = _noise(choice)
        case 1:
            sent = b"".join(_packed(_session(choice, number)))
        case _:
            sent = _damaged(choice, _session(choice, number))
    ending = choice.choices(("eof", "reset", "stay"), (90, 8, 2))[0]
    return Stream(f"stream {number} of seed {seed}", cut_anywhere(choice, sent), ending)


def _noise(choice: random.Random) -> bytes:
    noise = choice.randbytes(choice.randrange(1, 300))
    if choice.randrange(2):
        noise = noise.translate(bytes(byte % 4 for byte in range(256)))
    beginnings = (b"", b"API\0", _greeting("v157..178"), _greeting("v157..178") + pack(["71", "2", "0", ""]))
    return choice.choice(beginnings) + noise


def _session(choice: random.Random, number: int) -> list[list[str]]:
    """The frames of a valid session after the greeting, the offer of versions being the first."""
    version = choice.choice(VERSIONS)
    start = Message(START_API, {"clientId": FIRST_CLIENT_ID + number})
    requests = [_request(choice) for _ in range(choice.randint(1, 4))]
    return [[f"v157..{version}"], *(encode(message, version) for message in (start, *requests))]


def _fields(layout: Layout, version: int, request_id: int) -> list[str]:
    """The fields of a valid request."""
    ids = {"reqId": request_id, "orderId": request_id, "clientId": 0}
    return encode(Message(layout, {**ids, **_VALUES.get(layout.name, {})}), version)


def _request(choice: random.Random) -> Message:
    layouts: tuple[Layout, ...] = tuple(known for known in REQUESTS.values() if known is not START_API)
    layout = PLACE_ORDER if choice.randrange(4) == 0 else choice.choice(layouts)
    values = {"reqId": choice.randrange(1, 100), "orderId": choice.randrange(1, 4), **_VALUES.get(layout.name, {})}
    if layout.name == "placeOrder":
        values |= {
            "action": choice.choice(("BUY", "SELL")),
            "orderType": choice.choice(("MKT", "MKT", "LMT", "STP")),
            "symbol": choice.choice(("AAPL", "IBM", "ZQX")),
            "whatIf": choice.randrange(8) == 0,
        }
    return Message(layout, values)


def _greeting(offer: str) -> bytes:
    return b"API\0" + struct.pack(">I", len(offer)) + offer.encode()


def _packed(session: list[list[str]]) -> list[bytes]:
    (offer, *_), *frames = session
    return [_greeting(offer), *(pack(fields) for fields in frames)]


def _damaged(choice: random.Random, session: list[list[str]]) -> bytes:
    """Damage fields, frames or bytes, once or a few times."""
    level = choice.choice(("fields", "fields", "frames", "bytes"))
    times = choice.choice((1, 1, 2, 5))
    if level == "fields":
        for _ in range(times):
            choice.choice(FIELD_DAMAGE)(choice, choice.choice(session[1:]))
    frames = _packed(session)
    if level == "frames":
        for _ in range(times):
            choice.choice(FRAME_DAMAGE)(choice, frames)
    sent = bytearray(b"".join(frames))
    if level == "bytes":
        for _ in range(times):
            choice.choice(BYTE_DAMAGE)(choice, sent)
    return bytes(sent)


def cut_anywhere(choice: random.Random, sent: bytes) -> tuple[bytes, ...]:
    """Cut a stream at any places, mostly none."""
    places = sorted(choice.randint(0, len(sent)) for _ in range(choice.choice((0, 0, 1, 2, 6))))
    pairs = zip([0, *places], [*places, len(sent)], strict=True)
    return tuple(sent[start:end] for start, end in pairs if start < end)
