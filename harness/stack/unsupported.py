"""Keys of Compose that a drill cannot honour: refused by name, for to pass over them would drill another system."""

from __future__ import annotations

from harness.errors import StackError
from harness.stack.source import Source

_OF_SERVICES = {
    "privileged": "a privileged container could reach around every proxy",
    "network_mode": "the harness lays the networks itself, one for each link",
    "pid": "a container that shares the host's processes could not be cleaned up after",
    "ipc": "containers of a drill share nothing but volumes",
    "links": "write them under x-harness.links of the file",
    "external_links": "a drill reaches nothing outside its stack",
    "secrets": "hand them over as files in volumes, or in the environment",
    "configs": "mount the file as a volume",
    "devices": "a drill touches no device of the machine",
    "volumes_from": "name the volumes under volumes",
    "develop": "",
    "ulimits": "set limits with mem_limit, cpus and pids_limit",
    "scale": "a service runs once",
    "gpus": "a drill touches no device of the machine",
}
_OF_THE_FILE = {
    "secrets": "hand them over as files in volumes, or in the environment",
    "configs": "mount the files as volumes",
    "include": "name the one file that has the services",
}


def refuse_unsupported(source: Source) -> None:
    """Refuse the first key that is Compose's but not ours.

    Raises:
        StackError: names file, line, key and what to do instead.
    """
    data = source.data if isinstance(source.data, dict) else {}
    for key, reason in _OF_THE_FILE.items():
        if key in data:
            raise _unsupported(source, (key,), reason)
    services = data.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        for key, reason in _OF_SERVICES.items():
            # What is switched off is as good as not there.
            if isinstance(service, dict) and service.get(key) not in (None, False, [], {}):
                raise _unsupported(source, ("services", name, key), reason)
    volumes = data.get("volumes")
    for name, volume in volumes.items() if isinstance(volumes, dict) else ():
        if isinstance(volume, dict) and volume.get("external"):
            raise _unsupported(source, ("volumes", name, "external"), "a drill writes only to volumes of its own")


def _unsupported(source: Source, path: tuple[str, ...], reason: str) -> StackError:
    return StackError(f"{source.where(path)}: is not supported" + (f": {reason}" if reason else ""))
