"""A drill writes on this machine, and hands over its engine, only when the file asks for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack.container import BindMount, Mount, VolumeMount
from harness.stack.stack import Stack, load_stack

FILE = """\
services:
  it:
    image: it
    volumes: [MOUNT]
x-harness:
  host_paths: {TOLD}
  adapters: {workload: {wait: {for_s: 1}}}
"""


def stack(home: Path, mount: str, told: str = "") -> Stack:
    """A stack of one service with this mount."""
    (home / "compose.yml").write_text(FILE.replace("MOUNT", mount).replace("TOLD", told))
    return load_stack(home / "compose.yml", {})


def mounts(loaded: Stack) -> tuple[Mount, ...]:
    """What the service mounts in a drill."""
    container = loaded.services["it"].container
    assert container is not None
    return container.mounts


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ("./data:/data", "./data is a place of this machine, and a drill of it would write to it; say x-harness: "),
        ("{type: bind, source: ./data, target: /data}", "./data is a place of this machine"),
        (
            "/var/run/docker.sock:/var/run/docker.sock",
            "/var/run/docker.sock hands the engine, and with it this machine",
        ),
        ("/var/run/docker.sock:/x:ro", "/var/run/docker.sock hands the engine"),
        ("/run:/host/run:ro", "/run hands the engine"),
        ("/:/host:ro", "/ hands the engine"),
    ],
)
def test_unsafe_mount_is_told_in_one_line(tmp_path: Path, mount: str, said: str) -> None:
    """The mount, why it matters, and what to write, with the line of the file."""
    (line,) = stack(tmp_path, mount).unsafe_mounts
    assert line.startswith(f"{tmp_path}/compose.yml:4: services.it.volumes.0: {said}")
    assert "host_paths: {" in line
    assert "\n" not in line


@pytest.mark.parametrize("mount", ["./app:/app:ro", "named:/data", "/etc/localtime:/etc/localtime:ro"])
def test_harmless_mount_goes_in_as_it_is(tmp_path: Path, mount: str) -> None:
    """What is read-only, and what is the drill's own, needs no word."""
    (tmp_path / "compose.yml").write_text(FILE.replace("MOUNT", mount).replace("TOLD", "") + "volumes: {named: {}}\n")
    assert load_stack(tmp_path / "compose.yml", {}).unsafe_mounts == ()


@pytest.mark.parametrize(
    ("told", "mounted"),
    [
        ("volume", (VolumeMount("in-place-of-data", "/data"),)),
        ("read-only", (BindMount(Path("data"), "/data", read_only=True),)),
        ("as-it-is", (BindMount(Path("data"), "/data"),)),
        ("left-out", ()),
    ],
)
def test_told_mount_is_as_the_file_says(tmp_path: Path, told: str, mounted: tuple[Mount, ...]) -> None:
    """Each word means what it says."""
    loaded = stack(tmp_path, "./data:/data", f"./data: {told}")
    assert loaded.unsafe_mounts == ()
    here = tuple(
        BindMount(tmp_path / each.source, each.target, each.read_only) if isinstance(each, BindMount) else each
        for each in mounted
    )
    assert mounts(loaded) == here


def test_socket_that_is_only_read_is_still_refused(tmp_path: Path) -> None:
    """A socket takes orders through a read-only mount as well."""
    assert stack(tmp_path, "/run/docker.sock:/x", "/run/docker.sock: read-only").unsafe_mounts


def test_path_that_no_service_mounts_is_told(tmp_path: Path) -> None:
    """A slip in the name would leave the mount as it is."""
    with pytest.raises(StackError, match=r"compose.yml:6: x-harness.host_paths.data: no service mounts it; .*: ./data"):
        stack(tmp_path, "./data:/data", "data: volume")
