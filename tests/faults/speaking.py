"""A small stack whose server speaks Postgres's protocol, TWS's or none, and a client of the test's own for it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.stack.stack import load_stack

LINK = "client -> server"
# It notes each thing that it is asked in a line; the answer to an order is as long as was asked for.
SERVER = """\
import socketserver, struct, sys
kind, port, ledger = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def frame(text): return struct.pack("!I", len(text)) + text
class Handler(socketserver.StreamRequestHandler):
    def word(self, size):
        while len(self.rest) < size:
            got = self.request.recv(65536)
            if not got: raise SystemExit
            self.rest += got
        said, self.rest = self.rest[:size], self.rest[size:]
        return said
    def length(self): return struct.unpack("!I", self.word(4))[0]
    def handle(self):
        self.rest = b""
        try: getattr(self, kind)()
        except (SystemExit, OSError): return
    def did(self, what):
        with open(ledger, "a") as file: file.write(what + "\\n")
    def postgres(self):
        while True:
            said = self.word(self.length() - 4)
            if said != struct.pack("!I", 80877103): break
            self.request.sendall(b"N")
        self.request.sendall(b"R" + struct.pack("!II", 8, 0))
        self.request.sendall(b"S" + struct.pack("!I", 8) + b"a\\0b\\0")
        self.request.sendall(b"Z" + struct.pack("!I", 5) + b"I")
        while True:
            kind = self.word(1)
            said = self.word(self.length() - 4)
            if kind == b"X": return
            self.did(said.decode())
            self.request.sendall(b"C" + struct.pack("!I", 4 + len(said)) + said + b"Z" + struct.pack("!I", 5) + b"I")
    def tws(self):
        self.word(4)
        self.word(self.length())
        self.request.sendall(frame(b"178\\0now\\0"))
        self.word(self.length())
        self.request.sendall(frame(b"15\\x001\\0DU1\\0") + frame(b"9\\x001\\x001\\0"))
        while True:
            said = self.word(self.length())
            self.did(said.decode())
            self.request.sendall(frame(b"3\\0" + said))
    def plain(self):
        while said := self.request.recv(65536):
            self.did(said.decode())
            self.request.sendall(said)
class Server(socketserver.ThreadingTCPServer): daemon_threads = allow_reuse_address = True
print("serving", flush=True)
Server(("127.0.0.1", port), Handler).serve_forever()
"""
COMPOSE = """\
services:
  server:
    image: none
    x-harness:
      run: [python, "{project}/server.py", KIND, "{port:8000}", "{project}/ledger"]
      ready: {log: serving}
  client:
    image: none
    command: [python]
    environment: {SERVER_ADDRESS: "server:8000"}
    x-harness:
      run: [python, -u, -c, "import time; print('ready'); time.sleep(3600)"]
      ready: {log: ready}
x-harness:
  links: [client -> server:8000]
  LINK_PROBES
  adapters: {workload: {wait: {for_s: 1}}}
"""


@dataclass(frozen=True, slots=True)
class Speaking:
    """The stack, with what its server was asked to do."""

    stack: LocalStack
    kind: str
    ledger: Path
    clients: list[Client] = field(default_factory=list)

    def done(self) -> list[str]:
        """What the server has done so far."""
        return self.ledger.read_text().splitlines() if self.ledger.exists() else []

    async def connect(self) -> Client:
        """Open a connection of the system's own over the link, its handshake included."""
        reader, writer = await asyncio.open_connection(*self.stack.link_address(self.stack.stack.link(LINK)))
        client = Client(self.kind, reader, writer)
        self.clients.append(client)
        await client.shake_hands()
        return client


@dataclass(frozen=True, slots=True)
class Client:
    """A connection of the system's own."""

    kind: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def shake_hands(self) -> None:
        """Say and hear what comes before the first request."""
        if self.kind == "postgres":
            self.writer.write(struct.pack("!II", 8, 80877103))
            assert await self.reader.readexactly(1) == b"N"
            self.writer.write(struct.pack("!II", 9, 196608) + b"\0")
            await self.reader.readuntil(b"Z\0\0\0\5I")
        elif self.kind == "tws":
            self.writer.write(b"API\0" + struct.pack("!I", 9) + b"v100..178")
            await self.frame()
            self.writer.write(_frame(b"71\x002\x001\0\0"))
            await self.frame()
            await self.frame()

    async def ask(self, what: str) -> str:
        """Have something done; what was answered, or the name of the error that came instead."""
        self.say(what)
        try:
            if self.kind == "postgres":
                answer = await self.reader.readuntil(b"Z\0\0\0\5I")
            elif self.kind == "tws":
                answer = await self.frame()
            else:
                answer = await self.reader.readexactly(len(what))
        except (OSError, asyncio.IncompleteReadError) as cause:
            return type(cause).__name__
        return "answered" if what.encode() in answer else "wrong"

    def say(self, what: str) -> None:
        """Ask without waiting for an answer."""
        said = what.encode()
        if self.kind == "postgres":
            self.writer.write(b"Q" + struct.pack("!I", 4 + len(said)) + said)
        else:
            self.writer.write(_frame(said) if self.kind == "tws" else said)

    def take_leave(self) -> None:
        """Say that it leaves, where the protocol has a word for that, and leave."""
        if self.kind == "postgres":
            self.writer.write(b"X" + struct.pack("!I", 4))
        self.writer.close()

    async def frame(self) -> bytes:
        """One frame of TWS."""
        (length,) = struct.unpack("!I", await self.reader.readexactly(4))
        return await self.reader.readexactly(length)


def _frame(text: bytes) -> bytes:
    return struct.pack("!I", len(text)) + text


@asynccontextmanager
async def speaking(kind: str, home: Path) -> AsyncIterator[Speaking]:
    """The stack, for as long as the block lasts."""
    described(kind, home)
    async with await Session.open() as session:
        toxiproxy = find_or_build(cache_directory(Path(__file__).parents[2]))
        stack = LocalStack(load_stack(home / "compose.yml", {}), session, toxiproxy=toxiproxy, cache=home / "cache")
        try:
            await stack.start()
            subject = Speaking(stack, kind, home / "ledger")
            yield subject
            for client in subject.clients:
                client.writer.transport.abort()
        finally:
            await stack.close()


def described(kind: str, home: Path) -> None:
    """Write the stack's description and its server into a folder of their own."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "server.py").write_text(SERVER)
    probes = f'link_probes: {{"server:8000": {kind}}}' if kind != "plain" else ""
    (home / "compose.yml").write_text(COMPOSE.replace("KIND", kind).replace("LINK_PROBES", probes))
