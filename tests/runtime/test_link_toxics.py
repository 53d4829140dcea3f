"""Each toxic on a real Toxiproxy: on, seen by a client, and off again."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.faults.toxic import Stream, Toxic
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from tests.runtime.exchange import Saw, exchange

pytestmark = pytest.mark.anyio

UP: Stream = "upstream"
DOWN: Stream = "downstream"


@pytest.mark.parametrize(
    ("toxic", "expected"),
    [
        (Toxic("latency", DOWN, {"latency": 200}), Saw.ANSWERED),
        (Toxic("latency", UP, {"latency": 200, "jitter": 0}), Saw.ANSWERED),
        (Toxic("timeout", UP, {"timeout": 0}), Saw.SILENT),
        (Toxic("timeout", DOWN, {"timeout": 0}), Saw.SILENT),
        (Toxic("timeout", DOWN, {"timeout": 100}), Saw.ENDED),
        (Toxic("reset_peer", UP, {"timeout": 0}), Saw.RESET),
        (Toxic("reset_peer", DOWN, {"timeout": 0}), Saw.RESET),
        (Toxic("limit_data", DOWN, {"bytes": 0}), Saw.ENDED),
        (Toxic("bandwidth", DOWN, {"rate": 0}), Saw.SILENT),
        (Toxic("slicer", DOWN, {"average_size": 2, "size_variation": 0, "delay": 1000}), Saw.ANSWERED),
        (Toxic("slow_close", DOWN, {"delay": 200}), Saw.ANSWERED),
    ],
    ids=lambda value: f"{value.name}-{next(iter(value.attributes.values()))}" if isinstance(value, Toxic) else None,
)
async def test_toxic_hits_and_heals(link: LinkProxy, toxic: Toxic, expected: Saw) -> None:
    """A client sees the toxic while it is on, and nothing of it once the link is healed."""
    await link.add_toxic(toxic)
    during = await exchange(link.address[1])
    assert during.saw is expected
    if toxic.type == "latency":
        assert during.took_s >= 0.2

    healed = await link.heal()

    assert healed.took_s < 2
    after = await exchange(link.address[1])
    assert (after.saw, after.took_s < 0.2) == (Saw.ANSWERED, True)


async def test_disabled_link_refuses_until_enabled(link: LinkProxy) -> None:
    """A link that is switched off refuses connections, and takes them again once it is switched on."""
    await link.disable()
    assert (await exchange(link.address[1])).saw is Saw.REFUSED
    await link.enable()
    assert (await exchange(link.address[1])).saw is Saw.ANSWERED


async def test_heal_enables_a_disabled_link(link: LinkProxy) -> None:
    """Healing a link that is switched off switches it on, without a new server."""
    await link.disable()
    healed = await link.heal()
    assert healed.replaced is None
    assert (await exchange(link.address[1])).saw is Saw.ANSWERED


async def test_toxic_with_a_misspelt_attribute_is_an_error(link: LinkProxy) -> None:
    """An attribute that the server would ignore in silence is an error that shows what it holds instead."""
    with pytest.raises(HarnessError, match=r"'latenc': 300.*holds.*'latency': 0.*fault is not on"):
        await link.add_toxic(Toxic("latency", DOWN, {"latenc": 300}))


async def test_toxic_of_an_unknown_type_is_an_error(link: LinkProxy) -> None:
    """A type that the server does not know is an error that says so."""
    with pytest.raises(HarnessError, match="invalid toxic type"):
        await link.add_toxic(Toxic("gremlin", DOWN, {}))


async def test_remove_toxic_leaves_the_others(link: LinkProxy) -> None:
    """Removing one of two toxics leaves the other one on."""
    slow, silent = Toxic("latency", DOWN, {"latency": 200}), Toxic("timeout", UP, {"timeout": 0})
    await link.add_toxic(slow)
    await link.add_toxic(silent)
    await link.remove_toxic(silent)
    seen = await exchange(link.address[1])
    assert (seen.saw, seen.took_s >= 0.2) == (Saw.ANSWERED, True)
