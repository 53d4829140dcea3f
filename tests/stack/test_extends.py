"""``extends``: a service begins as another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack.container import BindMount, Build
from tests.stack.conftest import Load

_CLIENT = "  client:\n"
_BASE = """\
services:
  base:
    image: "base:${TAG:-1}"
    build: ./app
    command: [run]
    environment: [A=base, B=base]
    volumes: ["./conf:/conf:ro"]
    cap_drop: [ALL]
    labels: {from: base}
  deeper:
    extends: base
    environment: {B: deeper}
"""


def test_service_extends_one_of_the_same_file(small: Load) -> None:
    """Mappings are merged, the rest is replaced, and what it says itself comes last."""
    text = "  other:\n    image: base\n    environment: [SERVER_PORT=1, MORE=2]\n    command: x\n  client:\n    extends: other\n"
    client = small((_CLIENT, text)).services["client"]
    assert client.container is not None
    assert (client.container.image, client.container.command) == ("base", ("x",))
    assert (client.environment["SERVER_PORT"], client.environment["MORE"]) == ("8000", "2")


def test_service_extends_one_of_another_file(small: Load, tmp_path: Path) -> None:
    """Its relative paths stay those of its own file; variables are replaced in it too; it may extend in its turn."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "base.yml").write_text(_BASE)
    text = (
        "  client:\n    extends: {file: sub/base.yml, service: deeper}\n"
        "    cap_drop: [ALL, CHOWN]\n    volumes: ['/data']\n"
    )
    client = small((_CLIENT, text), TAG="7").services["client"]
    container = client.container
    assert container is not None
    assert container.image == "base:7"
    assert container.build == Build(tmp_path / "sub" / "app")
    assert container.mounts[0] == BindMount(tmp_path / "sub" / "conf", "/conf", read_only=True)
    assert [mount.target for mount in container.mounts] == ["/conf", "/data"]
    assert container.cap_drop == ("ALL", "CHOWN")
    assert (client.environment["A"], client.environment["B"]) == ("base", "deeper")


@pytest.mark.parametrize(
    ("extends", "told"),
    [
        ("absent", "services.client.extends: there is no service 'absent'"),
        ("client", "a service extends itself: client -> client"),
        ("{service: base, file: missing.yml}", "missing.yml: cannot be read"),
        ("{file: base.yml}", "is written 'extends: {service: NAME, file: PATH}'"),
        ("{service: base, fil: x}", "is written 'extends: {service: NAME, file: PATH}'"),
    ],
)
def test_extends_that_leads_nowhere_is_told(small: Load, extends: str, told: str) -> None:
    """With file, line and key."""
    with pytest.raises(StackError) as raised:
        small((_CLIENT, f"  client:\n    extends: {extends}\n"))
    assert told in str(raised.value)
