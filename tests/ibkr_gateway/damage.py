"""What can happen to the fields of a request, to frames and to bytes on their way; each damage changes them in place."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from fixtures.ibkr_gateway.protocol.framing import MAX_FRAME_BYTES

# Fields that decide what a request means stand near its start.
_TELLING_FIELDS = 24

EXTREMES = (
    "",
    "0",
    "-0",
    "-1",
    "1e308",
    "-1e308",
    "1e-308",
    "9" * 26,
    "9" * 40,
    "." + "0" * 39 + "1",
    "0.123456789012345678901234567890",
    "1e999",
    "NaN",
    "Infinity",
    "2147483647",
    "-2147483648",
    "9" * 18,
    "1.7976931348623157E308",
    "1_000",
    "\u0661\u0662",
    "\u202e\U0001f4c9",
    "\0",
    "\0\0\0\0",
    "\r\n",
    "\x1b[31m",
    "A" * 5000,
    "MSFT",
    "ZQX",
    "BUY",
    "LMT",
    "STP",
    "PEG BEST",
    "None",
    "1 week",
    "1 Y",
    "9999999 Y",
    "9999999 S",
    "00010101 00:00:00",
    "00010101-00:00:00",
    "99991231 23:59:59",
    "99991231-23:59:59",
    "20261120 10:00:00 America",
    "20261120 10:00:00 ../../etc/passwd",
    '{"seq":1,"kind":"reset"}',
)


def _field_place(choice: random.Random, fields: list[str]) -> int:
    return choice.randrange(min(len(fields), choice.choice((_TELLING_FIELDS, 1000)))) if fields else 0


def _set_field(choice: random.Random, fields: list[str]) -> None:
    if fields:
        fields[_field_place(choice, fields)] = choice.choice(EXTREMES)


def _insert_field(choice: random.Random, fields: list[str]) -> None:
    fields.insert(_field_place(choice, fields), choice.choice(EXTREMES))


def _drop_field(choice: random.Random, fields: list[str]) -> None:
    place = _field_place(choice, fields)
    del fields[place : place + 1]


def _swap_fields(choice: random.Random, fields: list[str]) -> None:
    if fields:
        one, other = _field_place(choice, fields), _field_place(choice, fields)
        fields[one], fields[other] = fields[other], fields[one]


def _repeat_frame(choice: random.Random, frames: list[bytes]) -> None:
    place = choice.randrange(len(frames))
    frames[place:place] = [frames[place]] * choice.choice((1, 1, 20))


def _drop_frame(choice: random.Random, frames: list[bytes]) -> None:
    if len(frames) > 1:
        del frames[choice.randrange(len(frames))]


def _shuffle_frames(choice: random.Random, frames: list[bytes]) -> None:
    kept = choice.randrange(3)
    rest = frames[kept:]
    choice.shuffle(rest)
    frames[kept:] = rest


def _lie_about_length(choice: random.Random, frames: list[bytes]) -> None:
    place = choice.randrange(len(frames))
    told = len(frames[place]) - 4
    lies = (
        0,
        1,
        told - 1,
        told + 1,
        told * 2,
        MAX_FRAME_BYTES,
        MAX_FRAME_BYTES + 1,
        0xFFFFFFFF,
        choice.getrandbits(32),
    )
    frames[place] = struct.pack(">I", max(0, choice.choice(lies))) + frames[place][4:]


def _shorten_frame(choice: random.Random, frames: list[bytes]) -> None:
    place = choice.randrange(len(frames))
    frames[place] = frames[place][: choice.randrange(len(frames[place]) + 1)]


def _flip_bit(choice: random.Random, sent: bytearray) -> None:
    if sent:
        sent[choice.randrange(len(sent))] ^= 1 << choice.randrange(8)


def _insert_bytes(choice: random.Random, sent: bytearray) -> None:
    place = choice.randint(0, len(sent))
    sent[place:place] = choice.randbytes(choice.choice((1, 1, 4, 40)))


def _drop_bytes(choice: random.Random, sent: bytearray) -> None:
    place = choice.randint(0, len(sent))
    del sent[place : place + choice.choice((1, 1, 4, 40))]


def _repeat_bytes(choice: random.Random, sent: bytearray) -> None:
    place = choice.randint(0, len(sent))
    sent[place:place] = sent[place : place + choice.choice((1, 4, 40, 400))]


def _truncate(choice: random.Random, sent: bytearray) -> None:
    del sent[choice.randint(0, len(sent)) :]


FIELD_DAMAGE: tuple[Callable[[random.Random, list[str]], None], ...] = (
    _set_field,
    _set_field,
    _set_field,
    _insert_field,
    _drop_field,
    _swap_fields,
)
FRAME_DAMAGE: tuple[Callable[[random.Random, list[bytes]], None], ...] = (
    _repeat_frame,
    _drop_frame,
    _shuffle_frames,
    _lie_about_length,
    _shorten_frame,
)
BYTE_DAMAGE: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip_bit,
    _insert_bytes,
    _drop_bytes,
    _repeat_bytes,
    _truncate,
)
