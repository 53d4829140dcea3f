"""An engine that is not there, or refuses: one line that a person can act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError, SetUpError, StartFailed
from harness.runtime.docker.engine import Engine, default_places, refusal
from harness.runtime.session.engine_removal import remove_from_engine


def test_absent_engine_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the named engine does not answer, its address, the reason and three ways out are said."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(SetUpError) as caught:
        Engine.find()
    said = str(caught.value)
    assert said.startswith(f"no Docker engine answers (unix://{tmp_path}/absent.sock: no such file or directory)")
    assert "make engine" in said
    assert "--runtime local" in said
    assert "\n" not in said


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:2375", "ssh://user@elsewhere"])
def test_engine_of_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An engine whose published ports would lie on another machine's loopback is refused before it is asked."""
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(SetUpError, match=r"must be an engine of this machine"):
        Engine.find()


def test_usual_places_hold_those_of_rootless_engines_and_podman() -> None:
    """Where no variable names an engine, a user's own Docker and Podman are looked for, too."""
    places = [str(place) for place in default_places({"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/u"})]
    assert places[0] == "/var/run/docker.sock"
    assert {"/run/user/7/docker.sock", "/run/user/7/podman/podman.sock"} <= set(places)


@pytest.mark.parametrize(
    ("words", "kind", "line"),
    [
        (
            "driver failed programming external connectivity: Bind for 127.0.0.1:20017 failed: port is already allocated",
            StartFailed,
            "could not start server: port 20017 was taken by another program",
        ),
        (
            "Error starting userland proxy: listen tcp4 127.0.0.1:20017: bind: address already in use",
            StartFailed,
            "could not start server: port 20017 was taken by another program",
        ),
        (
            "mkdir /var/lib/docker/overlay2/x: no space left on device",
            HarnessError,
            "could not start server: the engine's disk is full; make room there",
        ),
        (
            "container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit: no such",
            SetUpError,
            "could not start server: the engine has no program for `init: true`; install Podman's, catatonit",
        ),
        ("invalid mount config\nsecond line", HarnessError, "the engine refused to start server: invalid mount config"),
    ],
)
def test_refusal_is_one_line(words: str, kind: type[HarnessError], line: str) -> None:
    """What the engine says at length becomes a line about what the user knows."""
    error = refusal("start server", words)
    assert type(error) is kind
    assert str(error).startswith(line)
    assert "\n" not in str(error)


def test_engine_that_is_gone_is_told_as_left(tmp_path: Path) -> None:
    """Where no engine answers what is left in it, the end of a session says so, and does not wait for long."""
    removed = remove_from_engine(f"unix://{tmp_path}/absent.sock", "00000000", quiet_s=0, deadline_s=30)
    (left,) = removed.left
    assert "which does not answer" in left
