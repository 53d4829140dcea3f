"""The sink keeps what it was told, and nothing else."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import apprise
import httpx
import pytest

from fixtures.notification_sink.app import BODY_LIMIT_BYTES
from fixtures.notification_sink.mailbox import Mailbox

_REPOSITORY = Path(__file__).parents[2]


def test_messages_keep_order_path_and_body(sink: httpx.Client) -> None:
    """JSON, forms and text come back as what they were, in the order in which they came."""
    sink.post("/notify/ops", json={"title": "degraded", "reasons": [{"task": "place_order"}]})
    sink.post("/form", data={"body": "a b", "tag": ""})
    sink.post("/", content="just text")
    messages = sink.get("/messages").json()["messages"]
    assert [(message["seq"], message["path"], message["body"]) for message in messages] == [
        (1, "/notify/ops", {"title": "degraded", "reasons": [{"task": "place_order"}]}),
        (2, "/form", {"body": "a b", "tag": ""}),
        (3, "/", "just text"),
    ]
    age = datetime.now(UTC) - datetime.fromisoformat(messages[0]["at"])
    assert timedelta() <= age < timedelta(minutes=1)


def test_reset_forgets_and_counts_from_one(sink: httpx.Client) -> None:
    """After a reset the next drill sees only its own messages."""
    sink.post("/old", json={})
    sink.post("/reset")
    sink.post("/new", json={})
    assert [(message["seq"], message["path"]) for message in sink.get("/messages").json()["messages"]] == [(1, "/new")]


def test_oversized_body_is_refused_and_not_kept(sink: httpx.Client) -> None:
    """One message cannot fill the memory."""
    assert sink.post("/", content=b"x" * (BODY_LIMIT_BYTES + 1)).status_code == 413
    assert sink.post("/", content=b"x" * BODY_LIMIT_BYTES).status_code == 200
    assert [message["seq"] for message in sink.get("/messages").json()["messages"]] == [1]


def test_half_a_message_is_not_kept(sink: httpx.Client) -> None:
    """A sender that is cut off in the middle has sent no notification."""
    address = urlsplit(str(sink.base_url))
    with socket.create_connection((address.hostname or "", address.port or 0)) as wire:
        wire.sendall(b'POST /cut HTTP/1.1\r\nHost: sink\r\nContent-Length: 100\r\n\r\n{"half": ')
    sink.post("/whole", json={})
    assert [message["path"] for message in sink.get("/messages").json()["messages"]] == ["/whole"]


@pytest.mark.parametrize("content", [b"{not json", b"[" * 100_000, b"\xff\xfe", b""])
def test_unreadable_json_is_kept_as_text(sink: httpx.Client, content: bytes) -> None:
    """What cannot be parsed has still arrived, and the sink goes on."""
    assert sink.post("/", content=content, headers={"content-type": "application/json"}).status_code == 200
    (message,) = sink.get("/messages").json()["messages"]
    assert message["body"] == content.decode(errors="replace")


# Apprise loads a module for PGP that imports it.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_reaches_the_sink(sink: httpx.Client) -> None:
    """What the workflow notifies with arrives with its title and body."""
    address = urlsplit(str(sink.base_url))
    sender = apprise.Apprise()
    assert sender.add(f"json://{address.netloc}/notify")
    assert sender.notify(title="run degraded", body="execution_id=manual__1 reasons=backend refused")
    (message,) = sink.get("/messages").json()["messages"]
    assert message["body"]["title"] == "run degraded"
    assert "manual__1" in message["body"]["message"]


def test_mailbox_drops_the_oldest() -> None:
    """Neither many nor large messages make it grow without end, and it says how many went."""
    mailbox = Mailbox(limit_count=3, limit_bytes=100)
    for number in range(5):
        mailbox.receive("/", number, 1)
    assert [message.seq for message in mailbox.messages] == [3, 4, 5]
    mailbox.receive("/", "large", 99)
    assert [message.seq for message in mailbox.messages] == [5, 6]
    assert mailbox.dropped == 4


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--host", "192.0.2.1", "--port", "18080"], "'192.0.2.1' is not a loopback address"),
        (["--host", "example.org", "--port", "18080"], "'example.org' is not a loopback address"),
        (["--port", "70000"], "'70000' is not a port: 1 to 65535"),
    ],
)
def test_wrong_usage_is_refused(options: list[str], line: str) -> None:
    """Only this machine may reach the sink; anything else is exit code 2 and a line that says so."""
    ended = subprocess.run(
        [sys.executable, "-m", "fixtures.notification_sink", *options],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert line in ended.stderr


def test_port_in_use_is_one_line() -> None:
    """A port that another process holds is named, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "fixtures.notification_sink", "--port", str(port)],
            cwd=_REPOSITORY,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 2
    assert (
        ended.stderr == f"fixtures.notification_sink: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    )
