"""Where Podman's API is not quite Docker's; what it says here was recorded from Podman 4.3.1."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from harness.runtime.docker.contained import Attachment
from harness.runtime.docker.follower import kill_unless_down
from harness.runtime.docker.networks import taken
from harness.runtime.docker.volumes import sized_in_blocks
from harness.runtime.session.engine_removal import EngineApi, _remove_once

SESSION = "00000000"


class ListedByPodman(EngineApi):
    """An engine that lists a network's name where Docker has its id, and would remove a network that is in use."""

    def __init__(self) -> None:
        super().__init__("unix:///absent.sock")
        self.containers = {f"c{n}": {"one": {"NetworkID": "one"}, f"n{n}": {"NetworkID": f"n{n}"}} for n in range(8)}
        self.broken: list[str] = []

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, object]:
        """List, and remove."""
        del body
        _, kind, *rest = path.split("?", maxsplit=1)[0].split("/")
        if method == "DELETE" and kind == "containers":
            del self.containers[rest[0]]
        if method == "DELETE" and kind == "networks":
            in_use = [named for named in self.containers.values() if rest[0].removeprefix("id-") in named]
            self.broken += rest if in_use else []
        if method == "DELETE":
            return 204, None
        if kind == "networks":
            return 200, [{"Name": name, "Id": f"id-{name}"} for name in ("one", *(f"n{n}" for n in range(8)))]
        if kind == "containers":
            return 200, [{"Id": id_, "NetworkSettings": {"Networks": named}} for id_, named in self.containers.items()]
        return 200, {"Volumes": []}


def test_no_network_goes_before_its_containers() -> None:
    """Podman lets a network go with containers in it, and leaves its bridge and its rules on the machine for ever."""
    api = ListedByPodman()
    removed = {"containers": 0, "networks": 0, "volumes": 0}
    _remove_once(api, SESSION, removed)
    assert api.broken == []
    assert removed == {"containers": 8, "networks": 9, "volumes": 0}


@pytest.mark.parametrize(
    ("words", "is_taken"),
    [
        ("Pool overlaps with other one on this address space", True),
        ("subnet 198.18.0.8/29 is already used on the host or by another config", True),
        ("network name harness-1-at-server already used: network already exists", False),
    ],
)
def test_range_that_is_taken_is_known_by_either_engines_words(words: str, *, is_taken: bool) -> None:
    """A range that is taken is passed over; any other refusal is one."""
    assert taken(words) is is_taken


def test_address_of_a_network_card_outlasts_a_restart() -> None:
    """Peers that know a container's card go on sending to it, so that it is made from what never changes."""
    assert Attachment(network=None, address="198.18.7.11", aliases=()).mac_address == "02:42:c6:12:07:0b"  # type: ignore[arg-type]


def test_size_of_memory_is_told_in_blocks() -> None:
    """What Podman takes for a quota the kernel understands by another name; a volume on a disk stays as it is."""
    memory = {"type": "tmpfs", "device": "tmpfs", "o": "size=64m,uid=10001"}
    blocks = (64 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert sized_in_blocks(memory) == {**memory, "o": f"nr_blocks={blocks},uid=10001"}
    on_disk = {"type": "nfs", "o": "size=64m"}
    assert sized_in_blocks(on_disk) == on_disk
    assert sized_in_blocks({"type": "tmpfs", "o": "size=50%"})["o"] == "size=50%"


class Refusing(Container):
    """A container that the engine refuses to kill.

    Args:
        state: what the engine says that it does.
    """

    def __init__(self, state: str) -> None:
        super().__init__(attrs={"Id": "c", "State": state})

    def kill(self, signal: str | int | None = None) -> None:
        """Refuse, as Podman does for one that has ended."""
        del signal
        raise APIError("can only kill running containers. c is in state exited: container state improper")

    def reload(self) -> None:
        """What is known of it is true."""


def test_container_that_is_down_need_not_be_killed() -> None:
    """In each engine's words for it; one that still runs is not left in peace silently."""
    kill_unless_down(Refusing("exited"))
    with pytest.raises(APIError):
        kill_unless_down(Refusing("running"))
