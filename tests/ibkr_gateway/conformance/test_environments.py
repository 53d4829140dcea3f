"""How the environments of the client libraries are made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ibkr_gateway.conformance.environments import MakingFailed, environment

# Made without any network: nothing is installed.
_NOTHING = "# nothing\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock of an environment."""
    return tmp_path / "library.lock.txt"


def test_environment_is_made_once(tmp_path: Path, lock: Path) -> None:
    """Test runs that need it at the same time get the same one, and a later run does not touch it."""
    lock.write_text(_NOTHING)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: environment("empty", lock, tmp_path / "kept"), range(2))
    assert one == two
    assert one.exists()
    made_at_ns = one.parent.stat().st_mtime_ns
    assert environment("empty", lock, tmp_path / "kept") == one
    assert one.parent.stat().st_mtime_ns == made_at_ns
    assert [path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()] == [one.parents[1].name]


def test_environment_of_another_lock_is_another_one(tmp_path: Path, lock: Path) -> None:
    """A change of versions never meets what was made before it."""
    lock.write_text(_NOTHING)
    before = environment("empty", lock, tmp_path / "kept")
    lock.write_text(_NOTHING * 2)
    assert environment("empty", lock, tmp_path / "kept") != before


def test_environment_that_fails_says_what_uv_said(tmp_path: Path, lock: Path) -> None:
    """A package without a hash is not installed, and nothing is left that could pass for an environment."""
    lock.write_text("ibapi==9.81.1.post1\n")
    for _ in range(2):
        with pytest.raises(MakingFailed, match="must have a hash"):
            environment("ibapi", lock, tmp_path / "kept")


def test_environment_is_not_waited_for_without_end(tmp_path: Path, lock: Path) -> None:
    """A deadline that has passed is told with the command that it was set for."""
    lock.write_text(_NOTHING)
    with pytest.raises(MakingFailed, match=r"uv venv .* not done within 0.001 s"):
        environment("empty", lock, tmp_path / "kept", deadline_s=0.001)
