"""The control API of one Toxiproxy server, with a deadline on every call; the only user of toxiproxy-python.

The library keeps one address for the whole process, sets no timeout and lets a 500 pass for success. Here each server
has a consumer of its own, which a context variable selects for the length of one call: no lock, so a call that hangs
holds up no other server's. Each call runs in a thread of its own, for the library blocks; past the deadline the thread
is abandoned, and it ends with its socket's own timeout or when the hung server is killed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import requests
from toxiproxy import proxy as library_proxy
from toxiproxy import server as library_server
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from harness.errors import ControlHung, HarnessError
from harness.faults.toxic import WITNESS, Stream, Toxic

Result = TypeVar("Result")

CONTROL_DEADLINE_S = 1.0
# Nothing waits for a proxy that is only being made, and many are at once: on a busy machine, that takes its time.
_MAKING_DEADLINE_S = 10.0
_LOOPBACK = "127.0.0.1"
_FIRST_ERROR_STATUS = 400
_STREAMS: tuple[Stream, ...] = ("upstream", "downstream")
_IDLE: Mapping[str, int | str] = {"action": "", "delay_ms": 0, "after": "", "counted": "", "count": 0}
_REFUSALS = (InvalidToxic, NotFound, ProxyExists)


class _BadAnswerError(Exception):
    """A server answered with a status that the library does not look at."""


class _Consumer:
    """The library's consumer, for one server: what the library leaves out is added to each request."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._base = type("_Addressed", (APIConsumer,), {"host": host, "port": port})
        # An empty proxy for http: a proxy from the environment must not come between us and this machine.
        self._additions: dict[str, Any] = {"timeout": timeout_s, "proxies": {"http": ""}}

    def ask(self, verb: str, url: str, **arguments: Any) -> requests.Response:
        response: requests.Response = getattr(self._base, verb)(url, **arguments, **self._additions)
        if response.status_code >= _FIRST_ERROR_STATUS:
            raise _BadAnswerError(f"status {response.status_code}: {response.text.strip()}")
        return response


_consumer: ContextVar[_Consumer] = ContextVar("_consumer")


class _Selected:
    """Stands in the library's namespaces for its consumer, and passes each call on to the selected server's."""

    @staticmethod
    def get(url: str, params: Mapping[str, str] | None = None) -> requests.Response:
        return _consumer.get().ask("get", url, params=params)

    @staticmethod
    def post(url: str, data: bytes | None = None, json: Mapping[str, Any] | None = None) -> requests.Response:
        return _consumer.get().ask("post", url, data=data, json=json)

    @staticmethod
    def delete(url: str) -> requests.Response:
        return _consumer.get().ask("delete", url)


# The library's classes look the consumer up by this name at each call: the one seam through which they can be given
# an address of their own, short of writing them anew.
library_proxy.APIConsumer = _Selected
library_server.APIConsumer = _Selected


class Control:
    """Control of the one proxy of one Toxiproxy server.

    Args:
        name: the proxy's name in the server, fit for a path.
        port: the server's control port.
        host: where the server is.
        deadline_s: seconds until a call is given up.
        protocol: what is spoken over the link, as far as it has a handshake; empty where that is not known.
    """

    def __init__(
        self,
        name: str,
        port: int,
        *,
        host: str = _LOOPBACK,
        deadline_s: float = CONTROL_DEADLINE_S,
        protocol: str = "",
    ) -> None:
        self.name = name
        self.has_witness = False
        self._protocol = protocol
        self.port = port
        self.deadline_s = deadline_s
        # Longer than each deadline, which so is always the one that speaks; it only ends the abandoned thread.
        self._consumer = _Consumer(host, port, max(deadline_s, _MAKING_DEADLINE_S) + 1.0)
        self._server = library_server.Toxiproxy()
        self._proxy: Any = None

    async def create(self, *, listen: tuple[str, int], upstream: tuple[str, int]) -> None:
        """Make the proxy, with its witness before its first connection: from then on it listens.

        Args:
            listen: address and port on which it listens, where the server runs.
            upstream: host and port of the server of the link.
        """

        def work() -> None:
            self._proxy = self._server.create(
                upstream=f"{upstream[0]}:{upstream[1]}",
                name=self.name,
                listen=f"{listen[0]}:{listen[1]}",
                enabled=False,
            )

        await self._call("make the proxy", work, _MAKING_DEADLINE_S)
        await self._call("add its witness", self._add_witness, _MAKING_DEADLINE_S)
        await self._call("enable the proxy", self._proxy.enable, _MAKING_DEADLINE_S)

    async def attach(self, listen_port: int) -> None:
        """Take the proxy that the server made by itself, as its configuration says, and free it of toxics.

        Args:
            listen_port: the port on which it listens, where the server runs.

        Raises:
            HarnessError: there is none.
        """

        def work() -> None:
            found = {
                name: each for name, each in self._server.proxies().items() if _port_of(each.listen) == listen_port
            }
            if not found:
                raise NotFound(f"no proxy listens on port {listen_port}")
            self.name, self._proxy = next(iter(found.items()))

        def free() -> None:
            for each in self._proxy.toxics().values():
                if each.type != WITNESS:
                    self._proxy.destroy_toxic(each.name)

        # Apart: the deadline is one for a single request, and a busy machine takes a part of it for each.
        await self._call("take its proxy", work, _MAKING_DEADLINE_S)
        await self._call("free it of toxics", free, _MAKING_DEADLINE_S)
        await self._call("add its witness", self._add_witness, _MAKING_DEADLINE_S)
        await self._call("enable the proxy", self._proxy.enable, _MAKING_DEADLINE_S)

    async def enable(self) -> None:
        """Listen again."""
        await self._call("enable the proxy", self._proxy.enable)

    async def disable(self) -> None:
        """Stop listening, and end every open connection."""
        await self._call("disable the proxy", self._proxy.disable)

    async def add_toxic(self, toxic: Toxic) -> None:
        """Add a toxic, and read it back: the server takes an unknown attribute in silence and ignores it.

        Raises:
            HarnessError: the server refused it, or holds another one than was asked for.
        """

        def work() -> Any:
            if toxic.type == WITNESS:
                self._tell_witness(toxic)
                return self._proxy.get_toxic(toxic.name)
            self._proxy.add_toxic(
                type=toxic.type,
                stream=str(toxic.stream),
                name=toxic.name,
                # Below 1 it would be drawn from a random source without a seed.
                toxicity=1.0,
                attributes=dict(toxic.attributes),
            )
            return self._proxy.get_toxic(toxic.name)

        found = await self._call(f"add the toxic {toxic.name}", work)
        held = {} if found is None else found.attributes
        if found is None or any(held.get(name) != value for name, value in toxic.attributes.items()):
            raise HarnessError(
                f"Toxiproxy should hold {toxic.type} {dict(toxic.attributes)} on {self.name}, but holds {held}: "
                "the fault is not on; check the attributes' names"
            )

    async def remove_toxic(self, toxic: Toxic) -> None:
        """Remove a toxic; one that is not there is no error."""

        def work() -> None:
            if toxic.type == WITNESS:
                self._tell_witness(Toxic(WITNESS, toxic.stream))
                return
            with suppress(NotFound):
                self._proxy.destroy_toxic(toxic.name)

        await self._call(f"remove the toxic {toxic.name}", work)

    async def state(self) -> tuple[bool, tuple[Toxic, ...]]:
        """Give what the server itself says: whether the proxy is enabled, and its toxics."""

        def work() -> tuple[bool, tuple[Toxic, ...]]:
            found = self._server.get_proxy(self.name)
            if found is None:
                raise NotFound(f"no proxy {self.name}")
            toxics = found.toxics().values()
            acting = (each for each in toxics if each.type != WITNESS or each.attributes.get("action"))
            return found.enabled, tuple(Toxic(each.type, each.stream, each.attributes) for each in acting)

        return await self._call("read the proxy's state", work)

    async def version(self) -> str:
        """Give the server's version: any answer shows that it takes orders."""
        return await self._call("say its version", lambda: self._consumer.ask("get", "/version").text)

    def _add_witness(self) -> None:
        there = self._proxy.toxics()
        try:
            for stream in _STREAMS:
                idle = Toxic(WITNESS, stream)
                if idle.name not in there:
                    said = {"type": WITNESS, "stream": stream, "name": idle.name, "toxicity": 1.0}
                    self._proxy.add_toxic(**said, attributes=self._told(idle))
                else:
                    self._tell_witness(idle)
        except InvalidToxic:
            return  # a server that is not ours: it knows no such toxic
        self.has_witness = True

    def _tell_witness(self, toxic: Toxic) -> None:
        if toxic.attributes and not self.has_witness:
            raise InvalidToxic(f"it has no {WITNESS}: use the server that the harness builds")
        url = f"/proxies/{self.name}/toxics/{toxic.name}"
        self._consumer.ask("post", url, json={"attributes": self._told(toxic), "toxicity": 1.0})

    def _told(self, toxic: Toxic) -> dict[str, int | str]:
        return {**_IDLE, "direction": toxic.stream, "protocol": self._protocol, **toxic.attributes}

    async def _call(self, what: str, work: Callable[[], Result], deadline_s: float | None = None) -> Result:
        within_s = self.deadline_s if deadline_s is None else deadline_s
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()

        def settle(result: Result | None, error: Exception | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # None is an answer where Result is None

        def run() -> None:
            _consumer.set(self._consumer)
            result: Result | None = None
            failure: Exception | None = None
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - handed to the caller, of any kind
                failure = error
            with suppress(RuntimeError):  # the loop may be closed by the time that a hung call ends
                loop.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=run, name=f"toxiproxy-{self.name}", daemon=True).start()
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            raise ControlHung(
                f"Toxiproxy of {self.name} (port {self.port}) did not {what} within {within_s:g} s"
            ) from None
        except requests.Timeout as error:
            raise ControlHung(f"Toxiproxy of {self.name} (port {self.port}) did not {what} in time") from error
        except (requests.RequestException, _BadAnswerError, *_REFUSALS) as error:
            raise HarnessError(f"Toxiproxy of {self.name} (port {self.port}) could not {what}: {error}") from error


def _port_of(listen: str) -> int:
    return int(listen.rpartition(":")[2])
