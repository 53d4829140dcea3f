"""A client that uses a link again and again without a pause, and tells when what it sees changes.

``python -m benchmarks.tight_loop PORT`` prints a line of JSON for each change. It is a process of its own, so that
switching a fault and seeing its effect do not wait for one another. Its clock is ``time.monotonic``, which all
processes of a machine share.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

from harness.history.events import ProbeOutcome
from harness.runtime.toxiproxy.link_probe import GREETINGS

# An answer takes some milliseconds.
SILENCE_S = 0.1
_ABORT = struct.pack("ii", 1, 0)


def main(port: int) -> None:
    """Loop until standard output is closed or the process is ended."""
    before: ProbeOutcome | None = None
    ended_before_s = time.monotonic()
    while True:
        outcome = look(port)
        ended_s = time.monotonic()
        if outcome is not before:
            change = {"outcome": outcome, "seen_s": ended_s, "last_of_before_s": ended_before_s}
            sys.stdout.write(json.dumps(change) + "\n")
            sys.stdout.flush()
            before = outcome
        ended_before_s = ended_s


def look(port: int) -> ProbeOutcome:
    """Use the link once."""
    with socket.socket() as client:
        # Closed by a reset: an orderly end would use up the machine's ports in a minute.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        client.settimeout(SILENCE_S)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(GREETINGS["http"])
            return ProbeOutcome.ANSWERED if client.recv(1) else ProbeOutcome.ENDED
        except TimeoutError:
            return ProbeOutcome.SILENT
        except ConnectionRefusedError:
            return ProbeOutcome.REFUSED
        except OSError:
            return ProbeOutcome.RESET


if __name__ == "__main__":
    main(int(sys.argv[1]))
