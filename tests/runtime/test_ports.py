"""Blocks of ports: never shared, never stale."""

from __future__ import annotations

import re
import socket

import pytest

from harness.errors import PortsExhausted, UsageError
from harness.runtime.session.ports import BLOCK_SIZE, PortBlock, PortRange


def test_two_blocks_differ() -> None:
    """A block that is claimed is not given to another one."""
    ports = PortRange.from_environment()
    first, second = PortBlock.claim(ports), PortBlock.claim(ports)
    assert abs(first.first - second.first) >= BLOCK_SIZE
    first.close()
    second.close()


def test_closed_block_is_claimed_again() -> None:
    """A block that was let go can be claimed at once."""
    only = PortRange(32000, 32000 + BLOCK_SIZE - 1)  # outside the range that other tests claim from meanwhile
    first = PortBlock.claim(only)
    with pytest.raises(PortsExhausted):
        PortBlock.claim(only)
    first.close()
    again = PortBlock.claim(only)
    assert again.first == only.first
    again.close()


def test_exhausted_range_says_what_to_do() -> None:
    """When every block is taken, one line names the range, and the ways out."""
    block = PortBlock.claim(PortRange.from_environment())
    only = PortRange(block.first, block.first + BLOCK_SIZE - 1)
    expected = f"all 1 blocks of 100 ports in {only.first}-{only.last} are taken: .*harness clean.*HARNESS_PORTS"
    with pytest.raises(PortsExhausted, match=expected) as raised:
        PortBlock.claim(only)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3
    block.close()


def test_take_leaves_out_a_port_that_is_listened_on() -> None:
    """A port on which another program listens is not handed out."""
    block = PortBlock.claim(PortRange.from_environment())
    with socket.create_server(("127.0.0.1", block.first + 1)):
        assert block.take() == block.first + 2
    block.close()


def test_take_hands_out_each_port_once() -> None:
    """Ninety-nine ports are handed out, each once, then it is said that none is left."""
    block = PortBlock.claim(PortRange.from_environment())
    taken = [block.take() for _ in range(BLOCK_SIZE - 1)]
    assert taken == sorted(set(taken))
    assert block.guard.getsockname()[1] not in taken
    with pytest.raises(PortsExhausted, match="no free port is left in this session's block"):
        block.take()
    block.close()


@pytest.mark.parametrize("text", ["", "20000", "a-b", "20000-20050", "80-20000", "30000-20000", "20000-70000", "-5-10"])
def test_wrong_range_is_wrong_usage(text: str) -> None:
    """A range that is none, too small, privileged or beyond the last port is refused with the text that was given."""
    with pytest.raises(UsageError, match=re.escape(repr(text))) as raised:
        PortRange.parse(text)
    assert raised.value.exit_code == 2
