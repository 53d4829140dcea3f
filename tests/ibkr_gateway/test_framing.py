"""Frames and the handshake."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.protocol.framing import MAX_FRAME_BYTES, FrameReader, negotiate, pack, unpack
from fixtures.ibkr_gateway.protocol.wire import Undecodable

_FIELDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=1, max_size=6
)


def _read(pieces: Iterable[bytes]) -> tuple[list[list[str]], bool]:
    """Read a stream that arrives in pieces: its frames, and whether its meaning was lost at the end."""
    reader = FrameReader()
    frames: list[list[str]] = []
    try:
        for piece in pieces:
            frames.extend(unpack(payload) for payload in reader.feed(piece))
    except Undecodable:
        return frames, True
    return frames, False


@given(frames=st.lists(_FIELDS, max_size=5), senseless=st.booleans(), cuts=st.lists(st.integers(0), max_size=6))
@settings(max_examples=200, deadline=None)
def test_frames_survive_any_cut_of_the_stream(frames: list[list[str]], cuts: list[int], *, senseless: bool) -> None:
    """However the bytes arrive, the same frames come out, and what makes no sense after them is found."""
    end = b"\xff\xff\xff\xff" if senseless else b""
    stream = b"API\0" + b"".join(pack(fields) for fields in frames) + end
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    assert _read(stream[start:end] for start, end in itertools.pairwise(places)) == (frames, senseless)


@given(frames=st.lists(_FIELDS, max_size=3))
@settings(max_examples=20, deadline=None)
def test_frames_survive_every_single_cut_and_single_bytes(frames: list[list[str]]) -> None:
    """No place in the stream is special, not even inside the greeting or a length."""
    stream = b"API\0" + b"".join(pack(fields) for fields in frames)
    assert _read(stream[place : place + 1] for place in range(len(stream))) == (frames, False)
    for place in range(len(stream) + 1):
        assert _read((stream[:place], stream[place:])) == (frames, False)


@pytest.mark.parametrize(
    ("offer", "version"),
    [(b"v157..176", 176), (b"v157..178 +PACEAPI", 178), (b"v100..157", 157), (b"v100..999", 226), (b"v160", 160)],
)
def test_negotiation_announces_the_newest_common_version(offer: bytes, version: int) -> None:
    """The client's newest version is announced, but never one above 226."""
    assert negotiate(offer) == version


def test_negotiation_announces_text_where_protobuf_cannot_be_spoken() -> None:
    """Without the definitions of protobuf the last version of text is announced, and who needs protobuf is refused."""
    assert negotiate(b"v100..226", 200) == 200
    with pytest.raises(Undecodable, match="201 to 226"):
        negotiate(b"v201..226", 200)


@pytest.mark.parametrize("offer", [b"", b"v", b"v1..99", b"v227..300", b"GET / HTTP/1.1", b"v157..\xff"])
def test_negotiation_refuses_what_it_cannot_speak(offer: bytes) -> None:
    """A client without a common version, or no client at all, is refused."""
    with pytest.raises(Undecodable):
        negotiate(offer)


@pytest.mark.parametrize(
    "stream", [b"GET / HTTP/1.1\r\n", b"\0\0\0\5", b"AP\0", b"API\0" + struct.pack(">I", MAX_FRAME_BYTES + 1)]
)
def test_reader_refuses_a_stream_that_makes_no_sense(stream: bytes) -> None:
    """A wrong greeting and an absurd length are found at once, not waited for."""
    with pytest.raises(Undecodable):
        list(FrameReader().feed(stream))


@pytest.mark.parametrize("payload", [b"", b"49", b"49\0001", b"\xff\0"])
def test_unpack_refuses_a_payload_without_fields(payload: bytes) -> None:
    """Fields end in NUL and are UTF-8."""
    with pytest.raises(Undecodable):
        unpack(payload)
