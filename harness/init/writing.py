"""A proposal as the text of an overlay, each line with a word on where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from harness.init.gateways import CONTROL_PORT, STUB_IMAGE, STUB_MODULE, FoundGateway
from harness.init.proposal import Proposal
from harness.init.scenarios import scenario_names

WATCHED_S = 10
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
_HEAD = """\
# What a failure drill needs to know of {compose}, which stays as it is. Proposed by `harness init`, to be edited.
"""


def overlay_text(proposal: Proposal, *, with_scenarios: bool) -> str:
    """The overlay, as YAML that loads as it is.

    Args:
        proposal: what was found.
        with_scenarios: whether the scenarios that are written beside it should run when none is named.
    """
    lines = [_HEAD.format(compose=proposal.compose.name) + f"compose: {_text(proposal.compose.name)}"]
    if proposal.only:
        lines.append(f"only: [{', '.join(map(_text, proposal.only))}]")
    lines += ["", "x-harness:", *_indented(_of_the_file(proposal, with_scenarios=with_scenarios), 2)]
    services = [*_services(proposal)]
    if services:
        lines += ["", "services:", *_indented(services, 2)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _of_the_file(proposal: Proposal, *, with_scenarios: bool) -> Iterator[str]:
    if proposal.links:
        yield "# Every connection that a fault can cut: client -> server:port."
        yield "links:"
        width = max(len(str(each.link)) for each in proposal.links)
        for each in proposal.links:
            yield f"  - {each.link!s:<{width}}  # {each.where}"
    else:
        yield "# No connection between two services was found: write them as 'client -> server:port'."
        yield "links: []"
    if proposal.link_probes:
        yield "# In which protocol the harness may greet a server, to see whether a link works."
        yield "link_probes:"
        yield from (f"  {_text(place)}: {word}" for place, word in proposal.link_probes.items())
    if with_scenarios:
        yield "scenarios:"
        yield from (f"  - {name}" for name in scenario_names(proposal))
    yield from _mounts(proposal)
    yield "adapters:"
    yield from _indented(_workload(proposal), 2)
    yield from _indented(_database(proposal), 2)
    yield from _indented(_gateway_adapter(proposal), 2)
    yield from _indented(_traffic(proposal), 2)


def _mounts(proposal: Proposal) -> Iterator[str]:
    if not proposal.mounts:
        return
    yield "# Places of this machine, and what a drill has in their place: volume (an empty one of its own), read-only,"
    yield "# left-out, or as-it-is."
    yield "host_paths:"
    for each in proposal.mounts:
        yield f"  {_text(each.mount.source)}: {each.instead}  # {each.why}"


def _workload(proposal: Proposal) -> Iterator[str]:
    service, port = proposal.entrance or ("SERVICE", 8000)
    yield "# What counts as a run. Nothing was known, so the system is only watched for a while:"
    yield f"workload: {{wait: {{for_s: {WATCHED_S}}}}}"
    yield "# Better: requests of your own, whose answers are held against what is there in the end."
    yield "# workload:"
    yield "#   http:"
    yield "#     method: POST"
    yield f"#     url: http://{service}:{port}/PATH"
    yield '#     json: {id: "{run}-{n}"}'
    yield "#     times: 20"
    yield "#     every_s: 0.5"
    yield "#     deadline_s: 5"
    yield "# operations: {sql: SELECT id FROM TABLE, id: id}"
    yield "# Or a command where a service runs, whose exit code is the run's:"
    yield f"# workload: {{command: {{service: {_text(service)}, run: [COMMAND, ARGUMENT]}}}}"


def _database(proposal: Proposal) -> Iterator[str]:
    if proposal.database is not None:
        yield "# empty: true takes every row out of every table between drills, but for those under keep."
        yield f"database: {{dsn: {_text(proposal.database)}, empty: false}}"
    yield "# Promises of your own: what a query must find in the end, what a log must never say."
    yield "# probes:"
    yield "#   nothing-negative: {sql: SELECT * FROM TABLE WHERE amount < 0, rows: 0}"
    for name in proposal.clients:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        yield f"#   # What {name} says while all is well, it has to say again after a fault; WORDS stands for that:"
        yield f"#   {slug}-goes-on: {{log: {_text(name)}, matches: WORDS, at_least: 1, during: after}}"
    yield f"#   no-traceback: {{log: {_text(next(iter(proposal.services)))}, matches: Traceback, at_most: 0}}"


def _traffic(proposal: Proposal) -> Iterator[str]:
    if not proposal.links:
        return
    yield "# What a client's log says about a link shows that it met a fault. Here any line counts that names a fault;"
    yield "# of a client with several links, say which lines are about which, by a regular expression."
    yield "traffic:"
    yield from (f'  - {{link: {_text(str(each.link))}, log: "."}}' for each in proposal.links)


def _gateway_adapter(proposal: Proposal) -> Iterator[str]:
    if proposal.gateway is not None:
        yield "# The stub's control port: its ledger is the witness for orders, and scenarios order its faults there."
        yield f'gateway: {{control: "http://{proposal.gateway.service}:{CONTROL_PORT}"}}'


def _stub(gateway: FoundGateway) -> Iterator[str]:
    yield f"# The gateway stub in the place of a real gateway (known by {gateway.why}): under the same"
    yield "# name, on the port that the system asks for, and without a login. Nothing of the real one is started."
    yield f"image: {STUB_IMAGE}"
    own = f"--control, {_text(str(CONTROL_PORT))}, --ledger, /tmp/ledger.jsonl"
    yield f"command: [python, -m, {STUB_MODULE}, --host, 0.0.0.0, --port, {_text(str(gateway.port))}, {own}]"


def _stub_run(gateway: FoundGateway) -> str:
    ports = f'--port, "{{port:{gateway.port}}}", --control, "{{port:{CONTROL_PORT}}}"'
    return f'run: [python, -m, {STUB_MODULE}, {ports}, --ledger, "{{data}}/ledger.jsonl"]'


def _services(proposal: Proposal) -> Iterator[str]:
    for name, probe in proposal.probes.items():
        gateway = proposal.gateway if proposal.gateway and proposal.gateway.service == name else None
        yield f"{_text(name)}:"
        if gateway is not None:
            yield from _indented(_stub(gateway), 2)
        yield "  x-harness:"
        if gateway is not None:
            yield f"    {_stub_run(gateway)}"
        target = probe.target if probe.kind == "done" else _text(probe.target)
        yield f"    ready: {{{probe.kind}: {target}}}  # {probe.where}"


def _indented(lines: Iterator[str] | list[str], by: int) -> Iterator[str]:
    return (" " * by + line for line in lines)


def _text(value: str) -> str:
    """A YAML scalar: plain where that is safe, else in JSON's quotes, which YAML reads as well."""
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value)


# What YAML 1.1 reads as something else than text.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
