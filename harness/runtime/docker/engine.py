"""The engine: found, asked in threads of our own, and every refusal of it turned into one clear line."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from harness.errors import HarnessError, SetUpError, StartFailed

Result = TypeVar("Result")

HOST_VARIABLE = "DOCKER_HOST"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TIMEOUT_S = 30
# Most of what is asked waits for the engine, which works at several things at once.
_AT_ONCE = 16
_OLDEST_API = (1, 41)
_PORT_TAKEN = re.compile(r"(?:Bind for \S+?|listen tcp4?) ?\S*?:(\d+)\S*:? .*?(?:already allocated|already in use)")
# Podman's words; Docker always brings one.
_NO_INIT = "container-init binary not found"
_WHAT_TO_DO = "start one (`make engine`), name one in DOCKER_HOST, or drill with --runtime local"


def default_places(environment: dict[str, str] | None = None) -> tuple[Path, ...]:
    """Where an engine is looked for when DOCKER_HOST names none: Docker's socket, rootless Docker's, Podman's."""
    given = os.environ if environment is None else environment
    own = Path(given.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    home = Path(given.get("HOME", "/"))
    return (
        Path("/var/run/docker.sock"),
        own / "docker.sock",
        home / ".docker/run/docker.sock",
        own / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    )


class Engine:
    """An engine that answers.

    Args:
        client: the SDK's client.
        address: where it is, as DOCKER_HOST would say it.
    """

    def __init__(self, client: docker.DockerClient, address: str) -> None:
        self.client = client
        self.address = address
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="engine")

    @classmethod
    def find(cls, timeout_s: int = _TIMEOUT_S) -> Engine:
        """Find the engine that DOCKER_HOST names, or else the first one that answers in the usual places.

        Args:
            timeout_s: how long an engine may take for an answer, now and later.

        Raises:
            SetUpError: none answers, or it is too old; says what was tried and what to do.
        """
        named = os.environ.get(HOST_VARIABLE)
        if named:
            _require_this_machine(named)
        tried = [named] if named else [f"unix://{place}" for place in default_places() if place.exists()]
        reasons: list[str] = []
        for address in tried:
            try:
                _reach(address, timeout_s)
                # What DOCKER_HOST names may need certificates, which the environment names too.
                client = (
                    docker.from_env(timeout=timeout_s) if named else docker.DockerClient(address, timeout=timeout_s)
                )
                client.ping()
            except (DockerException, requests.RequestException, OSError, ValueError) as cause:
                reasons.append(f"{address}: {_shortly(cause)}")
                continue
            _require_api(client, address)
            return cls(client, address)
        looked = "; ".join(reasons) or f"no socket at {', '.join(str(place) for place in default_places())}"
        raise SetUpError(f"no Docker engine answers ({looked}): {_WHAT_TO_DO}")

    async def call(self, what: str, work: Callable[[], Result]) -> Result:
        """Ask the engine in a thread.

        Args:
            what: what is asked for, as in "start backend".
            work: the call.

        Raises:
            HarnessError: the engine does not answer any more, or refuses; the message names both.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work)
        except NotFound as cause:
            raise HarnessError(f"the engine could not {what}: {cause.explanation}") from cause
        except APIError as cause:
            raise refusal(what, str(cause.explanation or cause)) from cause
        except (requests.RequestException, DockerException, OSError) as cause:
            raise HarnessError(
                f"the Docker engine at {self.address} went away while it should {what}: see its log, start it again, "
                "and `harness clean`"
            ) from cause

    async def require_images(self, images: set[str]) -> None:
        """Have every image there before anything starts.

        Raises:
            SetUpError: names those that are missing, and what makes them.
        """

        def missing() -> list[str]:
            lacking: list[str] = []
            for image in sorted(images):
                try:
                    self.client.images.get(image)
                except ImageNotFound:
                    lacking.append(image)
            return lacking

        if lacking := await self.call("look for images", missing):
            raise SetUpError(
                f"the engine has no image {', '.join(lacking)}: `harness images build` (with --offline where no "
                "container registry can be reached), or `docker pull`"
            )

    async def image_id(self, image: str) -> str:
        """What an image is now, by an id that stays when its name goes to another."""
        return str(await self.call(f"look at the image {image}", lambda: self.client.images.get(image).id))

    def close(self) -> None:
        """Release it; calls that hang are abandoned."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()


def address_if_any() -> str | None:
    """Where an engine answers, for what should be done there too if there is one."""
    try:
        engine = Engine.find()
    except SetUpError:
        return None
    engine.close()
    return engine.address


def _require_api(client: docker.DockerClient, address: str) -> None:
    version = str(client.version().get("ApiVersion", "0"))
    if tuple(int(part) for part in version.split(".")) < _OLDEST_API:
        client.close()
        oldest = ".".join(map(str, _OLDEST_API))
        raise SetUpError(
            f"the engine at {address} speaks API {version}, and {oldest} is needed: use Docker 20.10 or later"
        )


def _reach(address: str, timeout_s: int) -> None:
    """Connect once: the SDK would wrap the reason in three others, and leave the socket open."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout_s)
            probe.connect(parts.path)
    else:
        socket.create_connection((parts.hostname or "", parts.port or 2375), timeout=timeout_s).close()


def _require_this_machine(address: str) -> None:
    """The stack's ports are published on the engine's loopback, which must be ours; the reaper speaks plain HTTP."""
    parts = urlsplit(address)
    if parts.scheme != "unix" and not (parts.scheme in {"tcp", "http"} and parts.hostname in _LOOPBACK):
        raise SetUpError(
            f"{HOST_VARIABLE}={address} must be an engine of this machine (unix://…, or tcp://127.0.0.1:…): "
            "the stack's ports are published on its loopback; forward its socket, or drill with --runtime local"
        )


def refusal(what: str, explanation: str) -> HarnessError:
    """The engine's own words are long, and speak of what the user never named.

    Args:
        what: what was asked for, as in "start backend".
        explanation: the engine's words.
    """
    if taken := _PORT_TAKEN.search(explanation):
        return StartFailed(
            f"could not {what}: port {taken[1]} was taken by another program while the stack came up; "
            "end it, or set HARNESS_PORTS to another range",
            evidence=explanation,
        )
    if _NO_INIT in explanation:
        return SetUpError(
            f"could not {what}: the engine has no program for `init: true`; install Podman's, catatonit "
            "(`apt-get install catatonit`), or leave init out of the compose file",
            evidence=explanation,
        )
    if "no space left on device" in explanation:
        return HarnessError(f"could not {what}: the engine's disk is full; make room there", evidence=explanation)
    first, *more = explanation.strip().splitlines() or [""]
    return HarnessError(f"the engine refused to {what}: {first}", evidence="\n".join(more))


def _shortly(cause: Exception) -> str:
    said = str(cause)
    for known in ("Permission denied", "Connection refused", "No such file or directory", "timed out"):
        if known in said:
            return known.lower()
    return said.splitlines()[0] if said else type(cause).__name__
