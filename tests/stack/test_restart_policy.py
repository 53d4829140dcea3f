"""Compose's restart policies, as a drill reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack.restart_policy import RestartOn, RestartPolicy
from harness.stack.stack import Service, load_stack

FILE = """\
services:
  it:
    image: it
    RESTART
x-harness: {adapters: {workload: {wait: {for_s: 1}}}}
"""


def service(home: Path, restart: str) -> Service:
    """The service of a file with this policy."""
    (home / "compose.yml").write_text(FILE.replace("RESTART", restart))
    return load_stack(home / "compose.yml", {}).services["it"]


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ("init: true", RestartPolicy()),
        ("restart: no", RestartPolicy()),
        ("restart: always", RestartPolicy(RestartOn.ALWAYS)),
        ("restart: unless-stopped", RestartPolicy(RestartOn.ALWAYS)),
        ("restart: on-failure", RestartPolicy(RestartOn.FAILURE)),
        ("restart: 'on-failure:3'", RestartPolicy(RestartOn.FAILURE, at_most=3)),
        ("restart: on-failure:0", RestartPolicy(RestartOn.FAILURE)),
        ("deploy: {restart_policy: {}}", RestartPolicy(RestartOn.ALWAYS)),
        ("deploy: {restart_policy: {condition: none}}", RestartPolicy()),
        (
            "restart: always\n    deploy: {restart_policy: {condition: on-failure, max_attempts: 2, window: 1m}}",
            RestartPolicy(RestartOn.FAILURE, at_most=2),
        ),
        ("restart: always\n    x-harness: {ready: {done: true}}", RestartPolicy(RestartOn.FAILURE)),
    ],
)
def test_restart_policy_is_read(tmp_path: Path, written: str, policy: RestartPolicy) -> None:
    """Each way to write one means what it means for Compose; a one-shot that ended well has done its work."""
    assert service(tmp_path, written).restart == policy


@pytest.mark.parametrize("written", ["restart: sometimes", "deploy: {restart_policy: {condition: sometimes}}"])
def test_restart_policy_that_is_none_is_refused(tmp_path: Path, written: str) -> None:
    """A word that Compose does not know is told with its line."""
    with pytest.raises(StackError, match=r"compose.yml:4: services.it.(restart|deploy.restart_policy.condition): "):
        service(tmp_path, written)


@pytest.mark.parametrize(
    ("returncode", "so_far", "again"),
    [(0, 0, False), (1, 0, True), (-9, 1, True), (1, 2, False)],
)
def test_restart_policy_counts(returncode: int, so_far: int, again: bool) -> None:  # noqa: FBT001 - a row of the table above
    """`on-failure:2` is two restarts, each after a failure."""
    assert RestartPolicy(RestartOn.FAILURE, at_most=2).wants(returncode, so_far) is again
