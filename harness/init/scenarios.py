"""Scenarios that make sense for any system: nothing wrong, and each link refused or silent for a while."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import yaml

from harness.init.links import FoundLink
from harness.init.proposal import Proposal

STARTS_AT_S = 2
LASTS_S = 5
_LONGEST_NAME = 64
_FAULTS: Mapping[str, str] = {
    "refused": "{server} refuses the connections of {client}.",
    "blackhole": "{server} does not answer {client}.",
}


def scenario_names(proposal: Proposal) -> tuple[str, ...]:
    """The names of the scenarios, in the order in which they should run."""
    return tuple(scenario_texts(proposal))


def scenario_texts(proposal: Proposal) -> dict[str, str]:
    """For each scenario its file's text."""
    texts = {"healthy": _text({"name": "healthy", "about": "Nothing goes wrong, and every promise holds."})}
    pairs = Counter((each.link.client, each.link.server) for each in proposal.links)
    for each in proposal.links:
        with_port = pairs[each.link.client, each.link.server] > 1
        for fault, about in _FAULTS.items():
            name = _name(each, fault, with_port=with_port)
            injection = {
                "link": str(each.link),
                "is": fault,
                "from": {"at_s": STARTS_AT_S},
                "for_s": LASTS_S,
            }
            described = about.format(server=each.link.server, client=each.link.client)
            texts[name] = _text({"name": name, "about": described, "faults": [injection]})
    return texts


def _name(each: FoundLink, fault: str, *, with_port: bool) -> str:
    ends = f"{each.link.client}-{each.link.server}" + f"-{each.link.port}" * with_port
    slug = re.sub(r"[^a-z0-9]+", "-", ends.lower()).strip("-")
    return f"{slug[: _LONGEST_NAME - len(fault) - 1]}-{fault}"


def _text(document: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
