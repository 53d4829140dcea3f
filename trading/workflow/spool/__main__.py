"""``python -m trading.workflow.spool replay|list|show KEY|dead [--json]``: look after what waits on this host."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from trading.workflow.artifact_storage import ArtifactStorage
from trading.workflow.errors import SettingsInvalid, SpoolBroken
from trading.workflow.replay import Replay, replay
from trading.workflow.settings import WorkflowSettings, read_settings
from trading.workflow.spool.spool import Spool, SpooledArtifact, other_hosts, spool_file

DONE = 0
NOT_ALL = 1
IMPOSSIBLE = 2


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked.

    Returns:
        0 when it is done; 1 when artifacts are left or refused, or there is none of the key; 2 when it cannot be done.
    """
    given = _parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    # A text that is damaged is shown, not an error.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are text files
    try:
        settings = read_settings()
        if given.command == "replay":
            return _replay(given, settings)
        waiting, dead = _contents(given, settings)
    except (SettingsInvalid, SpoolBroken) as problem:
        _say(str(problem))
        return IMPOSSIBLE
    if given.command == "show":
        return _show(given, [*waiting, *dead])
    if given.command == "dead":
        return _dead(given, dead)
    return _list(given, waiting, dead, other_hosts(settings.artifact_spool_dir, given.host))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON object")
    shared.add_argument("--host", help="look after the spool of this host, which must be gone; by default our own")
    parser = argparse.ArgumentParser(
        prog="python -m trading.workflow.spool",
        description="Look after the artifacts that wait on this host until the backend can take them.",
        epilog="Exit code: 0 done, 1 artifacts are left or refused or not found, 2 it cannot be done.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sending = commands.add_parser("replay", parents=[shared], help="send what waits to the backend, in order")
    sending.add_argument("--within", type=float, default=60.0, metavar="SECONDS", help="at most; 60 by default")
    commands.add_parser("list", parents=[shared], help="list what waits, in order, and what else is there")
    showing = commands.add_parser("show", parents=[shared], help="show one artifact with its body")
    showing.add_argument("key", metavar="KEY", help="its idempotency key, or the beginning of it")
    commands.add_parser("dead", parents=[shared], help="list what the backend will never take, and why")
    return parser.parse_args(arguments)


def _open(given: argparse.Namespace, settings: WorkflowSettings) -> Spool:
    return Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes, host=given.host)


def _replay(given: argparse.Namespace, settings: WorkflowSettings) -> int:
    async def work() -> Replay:
        with _open(given, settings) as spool:
            async with ArtifactStorage(settings, spool) as storage:
                return await replay(storage, budget_s=given.within)

    done = asyncio.run(work())
    text = f"{done.replayed} replayed, {done.dead} refused, {done.left} left"
    _print(given, asdict(done), [f"{text}: {done.problem}" if done.problem else text])
    return NOT_ALL if done.left or done.dead or done.problem else DONE


def _contents(
    given: argparse.Namespace, settings: WorkflowSettings
) -> tuple[list[SpooledArtifact], list[SpooledArtifact]]:
    # To look makes no file, which might belong to another user than the workflow's.
    if not spool_file(settings.artifact_spool_dir, given.host).exists():
        return [], []
    with _open(given, settings) as spool:
        return spool.waiting(), spool.dead()


def _list(
    given: argparse.Namespace,
    waiting: Sequence[SpooledArtifact],
    dead: Sequence[SpooledArtifact],
    others: Sequence[str],
) -> int:
    lines = [*(f"{artifact.seq:>6}  {_line(artifact)}" for artifact in waiting), f"{len(waiting)} waiting"]
    lines += [f"{len(dead)} dead letters"] if dead else []
    lines += [f"other hosts with a spool in the same folder: {', '.join(others)}"] if others else []
    document = {
        "waiting": [_summary(artifact) for artifact in waiting],
        "dead": [_summary(artifact) for artifact in dead],
        "other_hosts": list(others),
    }
    _print(given, document, lines)
    return DONE


def _dead(given: argparse.Namespace, dead: Sequence[SpooledArtifact]) -> int:
    lines = [*(_line(artifact) for artifact in dead), f"{len(dead)} dead letters"]
    _print(given, {"dead": [_summary(artifact) for artifact in dead]}, lines)
    return DONE


def _show(given: argparse.Namespace, artifacts: Sequence[SpooledArtifact]) -> int:
    found = [artifact for artifact in artifacts if artifact.idempotency_key.startswith(given.key)]
    if len(found) != 1:
        _say(f"expected one artifact whose key begins with {given.key!r}, and there are {len(found)}")
        return NOT_ALL
    (artifact,) = found
    try:
        body = json.loads(artifact.body)
    except ValueError:
        body = artifact.body
    _print(given, {**_summary(artifact), "body": body}, [_line(artifact), json.dumps(body, indent=2)])
    return DONE


def _summary(artifact: SpooledArtifact) -> dict[str, object]:
    return {
        "seq": artifact.seq,
        "key": artifact.idempotency_key,
        "execution_id": artifact.execution_id,
        "name": artifact.name,
        "size_bytes": len(artifact.body),
        "reason": artifact.reason,
        "since": artifact.since,
    }


def _line(artifact: SpooledArtifact) -> str:
    about = f"{artifact.since}  {artifact.idempotency_key}  {artifact.execution_id}  {artifact.name}"
    return f"{about}  {' '.join(artifact.reason.split())}"


def _print(given: argparse.Namespace, document: Mapping[str, object], lines: Sequence[str]) -> None:
    print(json.dumps(document) if given.json else "\n".join(lines))  # noqa: T201 - the answer


def _say(words: str) -> None:
    print(f"trading.workflow.spool: {words}", file=sys.stderr)  # noqa: T201 - the line for the person who called


if __name__ == "__main__":
    sys.exit(main())
