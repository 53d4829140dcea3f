"""Attempts to connect to a port on which nothing listens: seen as packets, so that the refusal stays the kernel's own.

A listener of the harness's would have to accept a connection to count it, and its client would see another error than
that of a server that is gone. A packet socket needs the capability CAP_NET_RAW and a kernel that the traffic goes
through: without them nothing is counted.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_ALL_PROTOCOLS = 0x0003
_ATTACH_FILTER = 26
_POLL_S = 0.1
_JOIN_DEADLINE_S = 2.0
# Where in the program below a packet is dropped.
_DROP = 14


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to open a connection.

    Args:
        at_mono_s: monotonic time in seconds at which it was seen.
        host: from where it came.
        port: from which port.
    """

    at_mono_s: float
    host: str
    port: int


class Attempts:
    """Watches the attempts to connect to one port of a link.

    Args:
        packets: a socket that gets each packet that opens a connection to the port.
        is_systems: whether an attempt is the system's.
    """

    def __init__(self, packets: socket.socket, is_systems: Callable[[Attempt], bool]) -> None:
        self._packets = packets
        self._is_systems = is_systems
        self._seen: dict[tuple[str, int, int], Attempt] = {}
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, name="attempts", daemon=True)
        self._reader.start()

    @classmethod
    def watch(cls, port: int, is_systems: Callable[[Attempt], bool]) -> Attempts | None:
        """Begin to watch; None where this machine does not let us see packets.

        Args:
            port: to which the attempts go.
            is_systems: whether one is the system's.
        """
        family = getattr(socket, "AF_PACKET", None)
        if family is None:
            return None
        try:
            packets = socket.socket(family, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS))
        except OSError:
            return None
        try:
            _only_calls_of(packets, port)
            packets.settimeout(_POLL_S)
        except OSError:
            packets.close()
            return None
        return cls(packets, is_systems)

    def since(self, mono_s: float) -> int:
        """How many the system has made since a monotonic time in seconds."""
        return sum(each.at_mono_s >= mono_s and self._is_systems(each) for each in tuple(self._seen.values()))

    def close(self) -> None:
        """Watch no more."""
        self._over.set()
        self._reader.join(_JOIN_DEADLINE_S)
        self._packets.close()

    def _read(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                self._note(self._packets.recv(128))

    def _note(self, packet: bytes) -> None:
        at_mono_s = time.monotonic()
        header_bytes = (packet[0] & 0x0F) * 4
        port, _, sequence = struct.unpack_from("!HHI", packet, header_bytes)
        host = socket.inet_ntoa(packet[12:16])
        # Each is seen where it leaves and where it arrives.
        self._seen.setdefault((host, port, sequence), Attempt(at_mono_s, host, port))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _only_calls_of(packets: socket.socket, port: int) -> None:
    """Have the kernel pass on only what opens a connection to a port over IPv4.

    Source: https://www.kernel.org/doc/html/latest/networking/filter.html (struct sock_filter, SO_ATTACH_FILTER)
    """
    steps = (
        (0x30, 0, 0, 0),  # the first byte of the packet: its version
        (0x54, 0, 0, 0xF0),
        (0x15, 0, _DROP - 3, 0x40),
        (0x30, 0, 0, 9),  # its protocol: TCP
        (0x15, 0, _DROP - 5, 6),
        (0x28, 0, 0, 6),  # no later fragment
        (0x45, _DROP - 7, 0, 0x1FFF),
        (0xB1, 0, 0, 0),  # behind its header
        (0x48, 0, 0, 2),  # the port to which it goes
        (0x15, 0, _DROP - 10, port),
        (0x50, 0, 0, 13),  # SYN without ACK
        (0x54, 0, 0, 0x12),
    )
    last = ((0x15, 0, 1, 0x02), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
    code = b"".join(struct.pack("HBBI", *step) for step in (*steps, *last))
    buffer = ctypes.create_string_buffer(code)
    program = _Program(len(steps) + len(last), ctypes.addressof(buffer))
    packets.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, bytes(program))
