"""Clients of the artifacts API that store as fast as they are answered, and tell what it took.

``python -m benchmarks.storage_client PORT CLIENTS ROWS SECONDS`` prints one JSON object: ROWS is how many artifacts a
request carries. It speaks HTTP over plain sockets: a library's client would take more of the machine than the backend.
"""

from __future__ import annotations

import itertools
import json
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from benchmarks.storage_artifact import ARTIFACT

PATH = "/api/artifacts/"
_DEADLINE_S = 10.0
_CHUNK_BYTES = 65536
_SUCCESS = (b"HTTP/1.1 200 ", b"HTTP/1.1 201 ")


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients did.

    Args:
        rows: artifacts stored, by all of them.
        took_s: elapsed time.
        request_ms: how long each request took.
    """

    rows: int
    took_s: float
    request_ms: list[float]


def main(port: int, clients: int, rows: int, duration_s: float) -> None:
    """Store for a while, and print what was done."""
    began_s = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(_store, [port] * clients, [rows] * clients, [began_s + duration_s] * clients))
    request_ms = list(itertools.chain.from_iterable(each))
    load = Load(len(request_ms) * rows, time.monotonic() - began_s, request_ms)
    sys.stdout.write(json.dumps(asdict(load)) + "\n")


def _store(port: int, rows: int, ends_s: float) -> list[float]:
    request_ms: list[float] = []
    requests = _single_requests() if rows == 1 else _batches(rows)
    with socket.create_connection(("127.0.0.1", port), timeout=_DEADLINE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began_s := time.monotonic()) < ends_s:
            connection.sendall(next(requests))
            _require_success(connection)
            request_ms.append((time.monotonic() - began_s) * 1000)
    return request_ms


def _single_requests() -> Iterator[bytes]:
    body = json.dumps(ARTIFACT).encode()
    for key in _keys():
        yield _request(PATH, body, f"Idempotency-Key: {key}\r\n")


def _batches(rows: int) -> Iterator[bytes]:
    artifact = json.dumps(ARTIFACT)
    for keys in zip(*[_keys()] * rows, strict=False):
        entries = ",".join(f'{{"idempotency_key":"{key}","artifact":{artifact}}}' for key in keys)
        yield _request(PATH + "batch", f'{{"artifacts":[{entries}]}}'.encode(), "")


def _keys() -> Iterator[str]:
    """Keys of 64 characters, as the workflow's are."""
    return (f"{secrets.token_hex(16)}{number:032x}" for number in itertools.count())


def _request(path: str, body: bytes, header: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: backend\r\nContent-Type: application/json\r\n{header}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _require_success(connection: socket.socket) -> None:
    data = bytearray()
    length = None
    while length is None or len(data) < length:
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            raise SystemExit(f"the backend closed the connection after {bytes(data[-500:])!r}")
        data += chunk
        if length is None and (head_ends := data.find(b"\r\n\r\n")) >= 0:
            head = bytes(data[:head_ends]).lower()
            length = head_ends + 4 + int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    if not data.startswith(_SUCCESS):
        raise SystemExit(f"the backend should have stored, and answered {bytes(data[:500])!r}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
