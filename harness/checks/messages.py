"""What people were told: one message for each run that did not end well, with a true text, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.finding import Finding, Weight
from harness.history.reads import Notification, RunRead

_SHOWN = 160


def messages(case: Case, check: str) -> Iterator[Finding]:
    """Hold each message at the sink against the runs that there were, and what they say of themselves."""
    texts = {message.seq: _text(message) for message in case.reads.notifications}
    yield from _about_nothing(case, check, texts)
    for run in case.reads.runs.values():
        if run.run_id in case.cut_short:
            continue
        about = [message for message in case.reads.notifications if run.run_id in texts[message.seq]]
        outcome = case.word_of(run)
        wanted = 0 if outcome in (None, "success") and run.state != "failed" else 1
        if len(about) != wanted:
            yield _finding(
                check,
                "no notification was sent" if len(about) < wanted else "the same was told several times",
                f"{wanted} notification{'s' * (wanted != 1)} about run {run.run_id} ({outcome})",
                f"{len(about)} at the notification sink",
            )
        for message in about:
            yield from _untrue(case, check, run, outcome, texts[message.seq])


def _about_nothing(case: Case, check: str, texts: dict[int, str]) -> Iterator[Finding]:
    for seq, text in texts.items():
        if not any(run in text for run in case.known_runs):
            yield _finding(
                check,
                "people were told about a run that does not exist",
                f"every message names one of the runs {', '.join(sorted(case.known_runs))}",
                f"message {seq} names none of them: {_short(text)}",
            )


def _untrue(case: Case, check: str, run: RunRead, outcome: str | None, text: str) -> Iterator[Finding]:
    if outcome is not None and outcome not in text:
        yield _finding(
            check,
            "a message does not tell how the run ended",
            f"the message about run {run.run_id} says {outcome!r}",
            f"it says: {_short(text)}",
        )
    row = case.outcome_rows.get(run.run_id)
    unsaid = [reason for reason in (_leaves(row.reasons) if row else ()) if _squeezed(reason) not in _squeezed(text)]
    if unsaid:
        yield _finding(
            check,
            "a message leaves out why",
            f"the message about run {run.run_id} gives each reason of its record, {_short(unsaid[0])!r} among them",
            f"it does not; it says: {_short(text)}",
        )


def _text(message: Notification) -> str:
    """The words of a message, in any form that its body may have."""
    return "\n".join(_leaves(message.text))


def _leaves(text: str) -> Sequence[str]:
    """Every text in a JSON value, or the text itself where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    found: list[str] = []
    ahead = [value]
    while ahead:
        item = ahead.pop(0)
        if isinstance(item, dict):
            ahead[:0] = item.values()
        elif isinstance(item, list):
            ahead[:0] = item
        elif item is not None:
            found.append(str(item))
    return found


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    words = _squeezed(text)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} …"


def _finding(check: str, title: str, expected: str, found: str) -> Finding:
    see = "reads.json: notifications, outcomes"
    return Finding(check=check, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=see)
