"""Removes what a session has in an engine: containers, then networks and volumes.

Standard library only: the reaper runs it without site-packages, and speaks the engine's API itself.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

from harness.runtime.session.labels import OUR_SESSION, SESSION, TEMPLATE_MAKER, TEMPLATE_VOLUME
from harness.runtime.session.removed import RemovedFromEngine

_AT_ONCE = 12
_NETWORKS_AT_ONCE = 4
_TIMEOUT_S = 20.0
_GONE = (200, 204, 404)
_POLL_S = 0.05
# An engine that was stopped may be coming back; one that does not has to be waited for by a person.
_NO_ANSWER_DEADLINE_S = 2.0


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EngineApi:
    """The few calls that removing takes.

    Args:
        address: where the engine is, as DOCKER_HOST says it.
    """

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, object]:
        """One call: its status, and the JSON that came.

        Raises:
            OSError: the engine does not answer.
        """
        if self._address.scheme == "unix":
            connection: http.client.HTTPConnection = _Local(self._address.path)
        else:
            connection = http.client.HTTPConnection(
                self._address.hostname or "", self._address.port, timeout=_TIMEOUT_S
            )
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
            answer = connection.getresponse()
            said = answer.read()
        except http.client.HTTPException as cause:
            raise OSError(f"it answers in no HTTP: {cause}") from cause
        finally:
            connection.close()
        is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(said) if said and is_json else None

    def labelled(self, kind: str, label: str) -> list[dict[str, object]]:
        """The containers, networks or volumes that bear a label (``name`` or ``name=value``)."""
        filters = quote(json.dumps({"label": [label]}))
        whole = "containers/json" if kind == "containers" else kind
        status, found = self.ask("GET", f"/{whole}?all=1&filters={filters}")
        if status != http.client.OK:
            raise OSError(f"it answers {status} to a list of {kind}")
        if isinstance(found, dict):
            found = found.get("Volumes")
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def sessions(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Every session that has something here, with that thing's labels; a kept template belongs to none."""
        for kind in ("containers", "networks", "volumes"):
            for each in self.labelled(kind, OUR_SESSION):
                labels = _labels(each)
                yield labels[OUR_SESSION], labels
        finished = {_labels(each).get(TEMPLATE_VOLUME) for each in self.labelled("volumes", TEMPLATE_VOLUME)}
        for each in self.labelled("volumes", TEMPLATE_MAKER):
            if each["Name"] not in finished:
                yield _labels(each)[TEMPLATE_MAKER], _labels(each)

    def remove(self, kind: str, name: str) -> bool:
        """Remove one thing; whether it is gone."""
        force = "" if kind == "networks" else "?force=1&v=1" if kind == "containers" else "?force=1"
        return self.ask("DELETE", f"/{kind}/{quote(name)}{force}")[0] in _GONE


def remove_from_engine(address: str, session: str, *, quiet_s: float, deadline_s: float) -> RemovedFromEngine:
    """Remove what bears a session's label, until nothing more of it has turned up for a while.

    Args:
        address: where the engine is, as DOCKER_HOST says it.
        session: the session's id.
        quiet_s: seconds without anything new: what was asked for before the harness died may be made only now.
        deadline_s: seconds until it is given up.
    """
    api = EngineApi(address)
    removed = {"containers": 0, "networks": 0, "volumes": 0}
    gives_up_at = time.monotonic() + deadline_s
    quiet_since = answered_at = time.monotonic()
    left: tuple[str, ...] = ()
    while True:
        try:
            left = _remove_once(api, session, removed)
            answered_at = time.monotonic()
        except OSError as cause:
            left = (f"all that it had at {address}, which does not answer ({cause})",)
        now = time.monotonic()
        quiet_since = now if left else quiet_since
        is_over = now >= gives_up_at or now - answered_at >= _NO_ANSWER_DEADLINE_S
        if is_over or (not left and now - quiet_since >= quiet_s):
            return RemovedFromEngine(**removed, left=left)
        time.sleep(_POLL_S)


def _remove_once(api: EngineApi, session: str, removed: dict[str, int]) -> tuple[str, ...]:
    """Remove what is there now; the names of what was found."""
    label = f"{SESSION}={session}"
    containers, networks = api.labelled("containers", label), api.labelled("networks", label)
    volumes = [str(each["Name"]) for each in api.labelled("volumes", label)] + [*unfinished_templates(api, session)]
    members = _Members(containers, networks)
    # Networks have threads of their own: an engine works at one network at a time, and meanwhile at containers.
    with ThreadPoolExecutor(_AT_ONCE) as threads, ThreadPoolExecutor(_NETWORKS_AT_ONCE) as network_threads:
        emptied = [network_threads.submit(api.remove, "networks", network) for network in members.empty()]

        def remove(container: str) -> bool:
            gone = api.remove("containers", container)
            emptied.extend(network_threads.submit(api.remove, "networks", each) for each in members.without(container))
            return gone

        # Who is in most networks holds most of them up, and takes longest.
        in_order = sorted(containers, key=lambda each: len(_networks(each)), reverse=True)
        removed["containers"] += sum(threads.map(remove, [str(each["Id"]) for each in in_order]))
        removed["volumes"] += sum(threads.map(lambda name: api.remove("volumes", name), volumes))
        removed["networks"] += sum(each.result() for each in emptied)
    found = [f"container {each['Id']}" for each in containers] + [f"network {each['Id']}" for each in networks]
    return (*found, *(f"volume {name}" for name in volumes))


class _Members:
    """Which containers are still in each network: one that is empty can go while the others are being emptied.

    Args:
        containers: as the engine lists them.
        networks: as the engine lists them.
    """

    def __init__(self, containers: list[dict[str, object]], networks: list[dict[str, object]]) -> None:
        self._lock = threading.Lock()
        self._left = {
            str(network["Id"]): {str(each["Id"]) for each in containers if network["Name"] in _networks(each)}
            for network in networks
        }

    def empty(self) -> list[str]:
        """The networks in which no container ever was."""
        return [network for network, left in self._left.items() if not left]

    def without(self, container: str) -> list[str]:
        """The networks that are empty now that a container has gone."""
        with self._lock:
            held = [network for network, left in self._left.items() if container in left]
            for network in held:
                self._left[network].discard(container)
            return [network for network in held if not self._left[network]]


def _networks(container: dict[str, object]) -> set[str]:
    """By name: where Docker has a network's id, Podman repeats its name, and it removes networks that are in use."""
    settings = container.get("NetworkSettings")
    named = settings.get("Networks") if isinstance(settings, dict) else None
    return set(named) if isinstance(named, dict) else set()


def unfinished_templates(api: EngineApi, session: str) -> Iterable[str]:
    """The volumes in which a session was making a template when it ended: no finished template names them."""
    made = [str(each["Name"]) for each in api.labelled("volumes", f"{TEMPLATE_MAKER}={session}")]
    if not made:
        return []
    named = {_labels(each).get(TEMPLATE_VOLUME) for each in api.labelled("volumes", TEMPLATE_VOLUME)}
    return [name for name in made if name not in named]


def _labels(each: dict[str, object]) -> dict[str, str]:
    labels = each.get("Labels")
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
