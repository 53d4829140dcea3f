"""``harness init``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.cli.options import console_for_people
from harness.errors import UsageError
from harness.init.proposal import Proposal, propose
from harness.init.scenarios import scenario_texts
from harness.init.writing import overlay_text
from harness.scenario.loading import SUFFIX
from harness.stack.stack import load_stack

SCENARIOS = "scenarios"
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
ComposeOption = Annotated[Path, typer.Option("--compose", help="The compose file of the system; it stays as it is.")]
Services = Annotated[
    str | None,
    typer.Option("--services", help="The services to drill, as in api,db; by default all.", show_default=False),
]
WithScenarios = Annotated[
    bool, typer.Option("--scenarios", help="Write scenarios too: each link refused, and silent, for a while.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files of an earlier proposal.")]


def init(
    compose: ComposeOption = Path("docker-compose.yml"),
    services: Services = None,
    scenarios: WithScenarios = False,
    force: Force = False,
) -> int:
    """Propose, in a file beside the compose file of your system, what a drill needs to know of it."""
    only = tuple(name.strip() for name in (services or "").split(",") if name.strip())
    proposal = propose(compose, os.environ, only)
    overlay = compose.with_name(f"{compose.stem}.harness.yml")
    texts = {overlay: overlay_text(proposal, with_scenarios=scenarios)}
    if scenarios:
        folder = compose.parent / SCENARIOS
        texts |= {folder / f"{name}{SUFFIX}": text for name, text in scenario_texts(proposal).items()}
    written = [path for path in texts if path.exists()]
    if written and not force:
        raise UsageError(f"{written[0]} is there already: --force overwrites it")
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    load_stack(overlay, os.environ)
    _tell(console_for_people(), proposal, overlay, len(texts) - 1)
    return 0


def _tell(console: Console, proposal: Proposal, overlay: Path, scenarios: int) -> None:
    def line(word: str, text: str) -> None:
        console.print(f"   {word:<10} {escape(text)}", highlight=False, soft_wrap=True)

    console.print(
        f" wrote  {overlay}" + f" and {scenarios} scenarios" * bool(scenarios), highlight=False, soft_wrap=True
    )
    for each in proposal.links:
        line("link", f"{each.link}   ({each.where})")
    for name, probe in proposal.probes.items():
        line("ready", f"{name}: {probe.kind} {_without_password(probe.target)}   ({probe.where})")
    if (gateway := proposal.gateway) is not None:
        line("gateway", f"{gateway.service}: the gateway stub in its place, on port {gateway.port}   ({gateway.why})")
    for found in proposal.mounts:
        line("host path", f"{found.mount.source}: {found.instead} in a drill   ({found.why})")
    if not proposal.links:
        line("not found", "any connection between two services: write them under x-harness.links")
    for name in proposal.unlinked:
        line("not found", f"anything that {name} connects to, or that connects to it")
    for name in proposal.unwatched:
        line("not found", f"when {name} is ready: it counts as ready once it runs")
    line("not known", "what counts as a run: see workload in the file; until then the system is only watched")
    if proposal.clients:
        clients = ", ".join(proposal.clients)
        line(
            "not known",
            f"what {clients} says while at work: see probes in the file; until then its work is not checked",
        )
    named = " ".join([*scenario_texts(proposal)][1:2]) if scenarios else "SCENARIO"
    console.print(
        f" next   harness drill --stack {overlay} --runtime docker {named}".rstrip(), highlight=False, soft_wrap=True
    )


def _without_password(address: str) -> str:
    return _PASSWORD.sub(r"\1:…@", address)
