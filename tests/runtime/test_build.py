"""Where the Toxiproxy server comes from, and what is said when it comes from nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SetUpError
from harness.runtime.toxiproxy.build import VERSION, _made, find_or_build, version_of


def script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH but the folder that is given, and no settings."""
    tools = tmp_path / "path"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("HARNESS_TOXIPROXY", raising=False)
    monkeypatch.delenv("HARNESS_UV", raising=False)
    return tools


def test_server_says_its_version(toxiproxy_server: Path) -> None:
    """The server that the tests use is a Toxiproxy 2."""
    assert (version_of(toxiproxy_server) or "").startswith("2.")


def test_named_server_is_used(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HARNESS_TOXIPROXY comes first."""
    named = script(tmp_path / "mine", "echo toxiproxy-server version 2.9.0")
    script(bare / "toxiproxy-server", "echo toxiproxy-server version 2.12.0")
    monkeypatch.setenv("HARNESS_TOXIPROXY", str(named))
    assert find_or_build(tmp_path / "cache") == named


def test_named_server_that_is_none_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HARNESS_TOXIPROXY that names something else is an error, not passed over."""
    monkeypatch.setenv("HARNESS_TOXIPROXY", "/bin/ls")
    with pytest.raises(SetUpError, match=r"HARNESS_TOXIPROXY should name a Toxiproxy server 2.x, but /bin/ls says"):
        find_or_build(tmp_path)


def test_server_on_path_is_used_where_ours_cannot_be_built(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version 2 on PATH comes last, and what it cannot tell is said."""
    on_path = script(bare / "toxiproxy-server", "echo toxiproxy-server version 2.5.0")
    assert find_or_build(tmp_path / "cache") == on_path
    assert "it tells of connections alone" in capsys.readouterr().err


def test_our_server_comes_before_the_one_on_path(bare: Path, tmp_path: Path) -> None:
    """One that tells what moves on a link is used where it is there, or can be built."""
    script(bare / "toxiproxy-server", "echo toxiproxy-server version 2.12.0")
    cached = _made(tmp_path)
    cached.parent.mkdir()
    script(cached, "true")
    assert find_or_build(tmp_path) == cached


def test_old_server_on_path_is_not_used(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version 1 on PATH is as good as none, which is said."""
    script(bare / "toxiproxy-server", "echo toxiproxy-server version 1.2.1")
    with pytest.raises(SetUpError, match="could not be built"):
        find_or_build(tmp_path)
    assert "is no Toxiproxy 2.x (it says 1.2.1): not used" in capsys.readouterr().err


def test_no_way_to_a_server_is_one_clear_line(bare: Path, tmp_path: Path) -> None:
    """Without Go and uv one line says what was tried and what to do, and nothing half-made stays."""
    with pytest.raises(SetUpError, match=r"no Go on PATH; no uv.*put Go on PATH.*HARNESS_TOXIPROXY") as raised:
        find_or_build(tmp_path)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3
    assert [path.name for path in (tmp_path / "tools").iterdir()] == ["building.lock"]


def test_failed_build_shows_its_reason(bare: Path, tmp_path: Path) -> None:
    """What Go says when it fails is in the line, all of it in the evidence; what an earlier build left is gone."""
    script(bare / "go", "echo first >&2; echo 'go: module lookup disabled' >&2; exit 1")
    (tmp_path / "tools" / "building-abandoned").mkdir(parents=True)
    with pytest.raises(SetUpError, match="go: module lookup disabled; no uv") as raised:
        find_or_build(tmp_path)
    assert "first" in raised.value.evidence
    assert not (tmp_path / "tools" / "building-abandoned").exists()


def test_build_is_kept_under_its_version(bare: Path, tmp_path: Path) -> None:
    """What Go built is kept in the cache, whole, and found again without Go."""
    body = f"echo toxiproxy-server version {VERSION}"
    build = 'while [ "$1" != -o ]; do shift; done'
    script(bare / "go", f"""{build}; printf '#!/bin/sh\\n{body}\\n' > "$2"; /bin/chmod +x "$2" """)
    made = find_or_build(tmp_path)
    (bare / "go").unlink()
    assert made == _made(tmp_path)
    assert made.name.startswith(f"toxiproxy-server-{VERSION}-")
    assert find_or_build(tmp_path) == made


def test_command_ends_with_the_exit_code_of_its_error(tmp_path: Path) -> None:
    """As a command it prints one line on its error and ends with 3."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.runtime.toxiproxy.build"],
        env={"PATH": str(tmp_path), "HARNESS_CACHE": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)
