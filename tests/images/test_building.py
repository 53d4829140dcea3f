"""Images are built when they are missing or differ from their sources, and only then; and stale ones are refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from harness.errors import SetUpError, UsageError
from harness.images.alone import alone
from harness.images.builder import Builder
from harness.images.engine import ImageEngine, failure
from harness.images.freshness import out_of_date, require_fresh
from harness.images.image import Image, chosen, images_of
from harness.stack.container import Build
from harness.stack.stack import Stack, load_stack
from tests.images.conftest import PROJECT, Made

_COMPOSE = """
x-harness: {{adapters: {{workload: {{wait: {{for_s: 1}}}}}}}}
services:
  web:
    image: {web}
    build: {{context: ., dockerfile: web.Dockerfile}}
  worker:
    image: {worker}
    build: {{context: ., dockerfile: worker.Dockerfile}}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A small project with two images, which share one file."""

    folder: Path
    stack: Stack
    web: Image
    worker: Image

    @property
    def images(self) -> tuple[Image, ...]:
        """Both."""
        return self.web, self.worker


@pytest.fixture
def project(tmp_path: Path, engine: ImageEngine) -> Iterator[Project]:
    """The project, with images that no other test has, and that are gone afterwards."""
    web, worker = (f"image-test-{name}-{uuid.uuid4().hex[:8]}" for name in ("web", "worker"))
    (tmp_path / "web.Dockerfile").write_text("FROM scratch\nCOPY shared.txt web.txt /\n")
    (tmp_path / "worker.Dockerfile").write_text("FROM scratch\nCOPY shared.txt /\n")
    for name in ("shared", "web"):
        (tmp_path / f"{name}.txt").write_text("1\n")
    compose = tmp_path / "docker-compose.yml"
    compose.write_text(_COMPOSE.format(web=web, worker=worker))
    stack = load_stack(compose, {})
    by_name = {image.name: image for image in images_of(stack)}
    yield Project(tmp_path, stack, by_name[web], by_name[worker])
    for name in (web, worker):
        engine.remove(name)


def _built(project: Project, engine: ImageEngine, images: tuple[Image, ...] | None = None) -> list[str]:
    return Builder(engine, project.folder, offline=False, say=print).bring_up_to_date(images or project.images)


@pytest.mark.docker
def test_second_build_changes_nothing(project: Project, engine: ImageEngine) -> None:
    """What was built is found again by what it was made from."""
    assert _built(project, engine) == [project.web.name, project.worker.name]
    assert _built(project, engine) == []


@pytest.mark.docker
@pytest.mark.parametrize(("file", "affected"), [("web.txt", ["web"]), ("shared.txt", ["web", "worker"])])
def test_changed_source_rebuilds_the_images_that_contain_it(
    project: Project, engine: ImageEngine, file: str, affected: list[str]
) -> None:
    """The others keep what they have."""
    _built(project, engine)
    before = {image.name: engine.find(image.name) for image in project.images}
    (project.folder / file).write_text("2\n")
    built = _built(project, engine)
    assert built == [image.name for image in project.images if image.build.dockerfile.split(".")[0] in affected]
    assert [name for name, found in before.items() if engine.find(name) != found] == built


@pytest.mark.docker
def test_image_that_lost_its_name_is_removed(project: Project, engine: ImageEngine) -> None:
    """A machine on which images are built for months does not fill up with what they were before."""
    _built(project, engine)
    before = engine.find(project.web.name)
    (project.folder / "web.txt").write_text("2\n")
    _built(project, engine)
    assert before is not None
    assert engine.find(before.identity) is None


@pytest.mark.docker
def test_failed_build_tells_its_last_lines(project: Project, engine: ImageEngine) -> None:
    """One line says what failed; the build's own words are the evidence."""
    (project.folder / "web.Dockerfile").write_text("FROM scratch\nCOPY shared.txt missing.txt /\n")
    with pytest.raises(SetUpError, match=f"^building {project.web.name} failed: .*missing.txt") as caught:
        _built(project, engine)
    assert "\n" not in str(caught.value)
    assert "FROM scratch" in caught.value.evidence


@pytest.mark.docker
@pytest.mark.usefixtures("made")
def test_stale_and_missing_images_are_refused(project: Project, engine: ImageEngine) -> None:
    """A drill never runs on yesterday's sources without a word."""
    _built(project, engine, (project.web,))
    remedy = f"run `harness images build --stack {project.stack.path}`"
    assert out_of_date(project.stack, engine) == [f"image {project.worker.name} is missing: {remedy}"]
    _built(project, engine)
    require_fresh(project.stack, engine)
    (project.folder / "web.txt").write_text("2\n")
    line = f"image {project.web.name} is older than its sources: {remedy}"
    with pytest.raises(SetUpError, match=f"^{re.escape(line)}$") as caught:
        require_fresh(project.stack, engine)
    assert caught.value.exit_code == 3
    (project.folder / "shared.txt").write_text("2\n")
    with pytest.raises(SetUpError, match=r"\(and 1 more\)") as caught:
        require_fresh(project.stack, engine)
    assert project.worker.name in caught.value.evidence


@pytest.mark.docker
@pytest.mark.usefixtures("made")
def test_image_that_another_tool_built_is_refused(project: Project, engine: ImageEngine) -> None:
    """It is not known from which sources, as when Compose has built it."""
    _built(project, engine)
    client = docker.from_env()
    try:
        client.images.build(path=str(project.folder), dockerfile="web.Dockerfile", tag=project.web.name, rm=True)
    finally:
        client.close()
    (line,) = out_of_date(project.stack, engine)
    assert line.startswith(f"image {project.web.name} does not say from which sources it was built: run `harness")


@pytest.mark.docker
def test_images_of_the_project_are_fresh_once_made(made: Made, stack: Stack, engine: ImageEngine) -> None:
    """What `harness images build` leaves is what the runtime requires."""
    # Which names the official images go by is for the session to say; those that are built are the same everywhere.
    built = {image.name for image in images_of(stack)}
    assert [line for line in out_of_date(stack, engine) if line.split()[1] in built] == [], made


@pytest.mark.docker
def test_unknown_image_is_refused(project: Project) -> None:
    """The message names those that there are."""
    with pytest.raises(UsageError, match=f"'nope' is not an image .* {project.web.name}"):
        chosen(project.images, ["nope"])
    assert chosen(project.images, [project.web.name]) == (project.web,)


@pytest.mark.docker
def test_unreadable_sources_are_one_line(project: Project, engine: ImageEngine, tmp_path: Path) -> None:
    """A Dockerfile that is not there is told by its place."""
    lost = replace(project.web, build=Build(tmp_path, "lost.Dockerfile"))
    with pytest.raises(SetUpError, match=r"lost\.Dockerfile: No such file or directory"):
        Builder(engine, tmp_path, offline=False, say=print).bring_up_to_date((lost,))


def test_absent_engine_is_one_line(tmp_path: Path) -> None:
    """It says what to do, and the exit code is that of a drill that says nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "images", "build"],
        cwd=PROJECT,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/absent.sock", "HARNESS_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "no Docker engine answers" in done.stderr
    assert "`make engine`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_full_disk_is_told_as_such() -> None:
    """Both when the engine says it and when this machine does."""
    assert "the disk is full: make room" in str(failure("building x", "write /y: no space left on device"))
    assert "the disk is full: make room" in str(failure("building x", "exit code 1", "E: No space left on device"))


def test_second_build_at_once_is_refused(tmp_path: Path) -> None:
    """Two would fetch into one folder."""
    with alone(tmp_path), pytest.raises(SetUpError, match="another build of images runs"), alone(tmp_path):
        pytest.fail("it was let in")
    with alone(tmp_path):
        assert (tmp_path / "images").is_dir()
