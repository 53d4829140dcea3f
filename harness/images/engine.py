"""The Docker engine, as far as images go; and what its errors mean for a person."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from harness.errors import SetUpError
from harness.runtime.docker.engine import Engine

INPUTS = "harness.inputs"
BASE = "harness.base"
# Between two lines of a build: a package that compiles says nothing for minutes.
_SILENCE_DEADLINE_S = 600
_EVIDENCE_LINES = 40
_NO_ROOM = "no space left on device"


@dataclass(frozen=True, slots=True)
class Found:
    """An image that an engine has.

    Args:
        identity: its digest.
        labels: what it says about itself.
        size_bytes: with the layers that it shares.
    """

    identity: str
    labels: Mapping[str, str]
    size_bytes: int


class ImageEngine:
    """An engine's images.

    Args:
        client: connected to it.
    """

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def find(self, name: str) -> Found | None:
        """Look for an image by its name or identity; None when the engine does not have it."""
        with _explained(f"looking for the image {name}"):
            try:
                image = self._client.images.get(name)
            except ImageNotFound:
                return None
            return Found(str(image.id), image.labels, int(image.attrs["Size"]))

    def remove(self, name: str) -> None:
        """Remove an image, by its name or identity; one that containers or other images still use stays."""
        with _explained(f"removing the image {name}"), suppress(APIError):
            self._client.images.remove(name)

    def remove_nameless(self) -> None:
        """Remove what was built here and has lost its name to something newer, unless it is still in use."""
        with _explained("looking for images without a name"):
            nameless = self._client.images.list(filters={"dangling": True, "label": INPUTS})
        for image in nameless:
            self.remove(str(image.id))

    def pull(self, name: str) -> None:
        """Have the engine fetch an image.

        Raises:
            SetUpError: it cannot.
        """
        with _explained(f"pulling {name}"):
            self._client.images.pull(name)

    def build(
        self,
        name: str,
        context: BinaryIO,
        dockerfile: str,
        *,
        target: str | None,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        """Build an image and name it.

        Args:
            name: what it is to be called.
            context: the packed context.
            dockerfile: its path in the context.
            target: the stage to build; None for the last.
            arguments: the Dockerfile's ARGs.
            labels: what the image says about itself.

        Raises:
            SetUpError: a step failed; the build's last lines are the evidence.
        """
        with _explained(f"building {name}"):
            said = self._client.api.build(
                fileobj=context,
                custom_context=True,
                dockerfile=dockerfile,
                tag=name,
                target=target,
                buildargs=dict(arguments),
                labels=dict(labels),
                rm=True,
                forcerm=True,
                decode=True,
            )
            _read_build(name, said)

    def load_base(self, name: str, archive: Path, changes: Iterable[str]) -> None:
        """Make an image of one layer from a root file system's tar.

        Args:
            name: what it is to be called.
            archive: the tar.
            changes: Dockerfile lines that set it up.

        Raises:
            SetUpError: the engine refused it.
        """
        repository, _, tag = name.partition(":")
        with _explained(f"importing {name}"):
            self._client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=list(changes))


@contextmanager
def connected() -> Iterator[ImageEngine]:
    """Connect to the machine's engine.

    Raises:
        SetUpError: none answers.
    """
    found = Engine.find()
    found.client.api.timeout = _SILENCE_DEADLINE_S
    try:
        yield ImageEngine(found.client)
    finally:
        found.close()


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn the engine's errors into one line that says what to do."""
    try:
        yield
    except APIError as error:
        raise failure(doing, str(error.explanation or error)) from error
    except (RequestException, HTTPError) as error:
        raise _went_away(doing, error) from error
    except DockerException as error:
        raise failure(doing, str(error)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise failure(doing, _NO_ROOM) from error
        raise _went_away(doing, error) from error


def failure(doing: str, reason: str, evidence: str = "") -> SetUpError:
    """Say in one line why something with an image failed, and what to do.

    Args:
        doing: what was being done.
        reason: what came instead.
        evidence: the last lines of it.
    """
    if _NO_ROOM in f"{reason}\n{evidence}".lower():
        return SetUpError(f"{doing} failed: the disk is full: make room, then run it again", evidence=evidence)
    return SetUpError(f"{doing} failed: {' '.join(reason.split())}", evidence=evidence)


def _read_build(name: str, said: Iterable[Mapping[str, object]]) -> None:
    lines: deque[str] = deque(maxlen=_EVIDENCE_LINES)
    failed = ""
    # To its end, also after an error: an answer that is left half-read keeps its connection.
    for part in said:
        if text := str(part.get("stream") or part.get("status") or "").strip():
            lines.append(text)
        failed = failed or str(part.get("error") or "")
    if failed:
        raise failure(f"building {name}", failed, "\n".join(lines))


def _went_away(doing: str, error: Exception) -> SetUpError:
    return SetUpError(
        f"the Docker engine went away while {doing}: start it again, then run this again", evidence=str(error)
    )
