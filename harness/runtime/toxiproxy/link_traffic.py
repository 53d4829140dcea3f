"""Who uses a link: the system, and the harness itself.

Where each client calls from an address of its own (containers), the address tells the system's connections from the
harness's. Where all call from 127.0.0.1, the harness knows its own by the ports that it claims before it connects.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from harness.errors import DeadlineExceeded
from harness.history.events import ProbeOutcome
from harness.runtime.toxiproxy.accepted import Accepted
from harness.runtime.toxiproxy.attempts import Attempts
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.runtime.toxiproxy.link_probe import DEFAULT_TIMEOUT_S, ProbeResult, send_probe
from harness.runtime.toxiproxy.link_use import LinkUse
from harness.runtime.waiting import until
from harness.stack.addressing import Address

# The log tells of an accepted connection within milliseconds; this is for a machine whose cores are busy.
_LOG_DELAY_S = 0.5
_LOOPBACK = "127.0.0.1"


class LinkTraffic:
    """The connections over one link, by the word of its Toxiproxy's log.

    Args:
        address: where the harness reaches the link.
        log: the log.
        caller: the address that the link's client, and nothing else, calls from; None where all call from the same.
    """

    def __init__(self, address: Address, log: LinkLog, caller: str | None) -> None:
        self.address = address
        self.caller = caller
        self._log = log

    @property
    def is_forwarded(self) -> bool:
        """Whether the engine's forwarder lies between the harness and the link: it makes an orderly end of a reset."""
        return self.caller is not None and self.address[0] == _LOOPBACK

    async def probe(self, greeting: bytes, timeout_s: float = DEFAULT_TIMEOUT_S) -> ProbeResult:
        """Use the link as the harness; what it opens for that is not counted as the system's.

        Args:
            greeting: what makes the server answer.
            timeout_s: how long silence may last before it is called silence.
        """
        began_s = time.monotonic()
        ports = self._log.probe_ports
        seen = await send_probe(self.address, greeting, timeout_s, on_bound=ports.claim)
        if seen.outcome is ProbeOutcome.REFUSED:
            ports.release(seen.client_port)
        if self.caller is not None and seen.outcome in {ProbeOutcome.ENDED, ProbeOutcome.RESET}:
            # The engine's own forwarder accepts every connection to a published port, and ends it when none listens
            # behind it: what Toxiproxy never accepted, it refused.
            with suppress(DeadlineExceeded):
                await until(lambda: self._greeted(began_s), what="the log", deadline_s=_LOG_DELAY_S, poll_s=0.005)
                return seen
            return replace(seen, outcome=ProbeOutcome.REFUSED)
        return seen

    def system_connections(self, since_mono_s: float = 0.0) -> tuple[Accepted, ...]:
        """Give the connections that the system opened on this link, those over earlier servers too.

        Args:
            since_mono_s: those accepted at this monotonic time or later.
        """
        return tuple(each for each in self._log.accepted if each.at_mono_s >= since_mono_s and self._is_systems(each))

    def open_system_connections(self) -> tuple[Accepted, ...]:
        """Give those of the system's connections that are open now, by the word of Toxiproxy's log."""
        return tuple(each for each in tuple(self._log.open.values()) if self._is_systems(each))

    def system_uses(self) -> tuple[LinkUse, ...]:
        """Give what the witness tells of the system's connections; nothing where the link's server has none."""
        return tuple(each for each in self._log.uses if self._is_systems(each.accepted))

    def watch_attempts(self, port: int) -> Attempts | None:
        """Watch the system's attempts to open a connection, also where nothing listens; None where that cannot be seen.

        Args:
            port: the server's port, on which clients with an address of their own find the proxy.
        """
        if self.caller is not None:
            return Attempts.watch(port, lambda attempt: attempt.host == self.caller)
        is_own = self._log.probe_ports.is_attempt
        return Attempts.watch(
            self.address[1],
            lambda attempt: attempt.host == _LOOPBACK and not is_own(attempt.port, attempt.at_mono_s),
        )

    def _is_systems(self, connection: Accepted) -> bool:
        if self.caller is not None:
            return connection.client_host == self.caller
        return not connection.from_claimed_port

    def _greeted(self, since_mono_s: float) -> bool:
        return any(each.at_mono_s >= since_mono_s and not self._is_systems(each) for each in self._log.accepted)
