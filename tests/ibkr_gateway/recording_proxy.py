"""A proxy between a client and a gateway that keeps every byte in the order in which it saw them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from tests.ibkr_gateway.recorded_session import Chunk, Connection, connection_of

_READ_BYTES = 65536
_DEADLINE_S = 10.0


class RecordingProxy:
    """Forwards connections, in a thread of its own.

    Args:
        port: the gateway's.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._seen: list[list[Chunk]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="recording proxy")
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._forward, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def take(self) -> list[Connection]:
        """Return what was seen on each connection since the last time, and forget it."""
        seen, self._seen = self._seen, []
        return [connection_of(chunks) for chunks in seen if chunks]

    def close(self) -> None:
        """End the proxy and what goes through it."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_DEADLINE_S)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        own = asyncio.current_task()
        forwarding = [task for task in asyncio.all_tasks() if task is not own]
        for task in forwarding:
            task.cancel()
        await asyncio.gather(*forwarding, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chunks: list[Chunk] = []
        self._seen.append(chunks)
        to_gateway = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(
                self._pump(reader, to_gateway[1], chunks, is_sent=True),
                self._pump(to_gateway[0], writer, chunks, is_sent=False),
            )
        finally:
            writer.transport.abort()
            to_gateway[1].transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunks: list[Chunk], *, is_sent: bool
    ) -> None:
        try:
            while data := await reader.read(_READ_BYTES):
                chunks.append(Chunk(is_sent, data))
                writer.write(data)
                await writer.drain()
        except OSError:
            # One side has gone, and so goes the other.
            pass
        if not writer.is_closing():
            writer.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_DEADLINE_S)
