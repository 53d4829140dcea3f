"""Whether this machine is in a container's network, so that the harness need not go through the engine's forwarder."""

from __future__ import annotations

import asyncio

import psutil

from harness.stack.addressing import Address

# In the network of an engine on this very machine a connection takes a millisecond; elsewhere nothing answers.
_WITHIN_S = 0.5


def is_on_this_machine(gateway: str) -> bool:
    """Whether a network's gateway is this machine itself, so that its addresses can be reached from here.

    So it is where the engine runs as root on this very machine; elsewhere only what is published can be reached.
    """
    return any(each.address == gateway for interface in psutil.net_if_addrs().values() for each in interface)


async def reaches(address: Address) -> bool:
    """Whether a server accepts a connection at a container's own address.

    The forwarder of a published port makes an orderly end of every reset: a probe through it could not tell the two.
    """
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.transport.abort()
    return True
