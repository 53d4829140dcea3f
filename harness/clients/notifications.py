"""The notification sink: its record is the witness for alerts."""

from __future__ import annotations

import json

from harness.clients.http import HttpApi, ask, ask_for
from harness.history.reads import Notification
from harness.validated import Answer


class _Message(Answer):
    seq: int
    body: object


class _Messages(Answer):
    messages: list[_Message]


class NotificationSink(HttpApi):
    """The sink at ``url``."""

    async def reset(self) -> None:
        """Forget what was received."""
        await ask(self._client, "POST", "/reset")

    async def messages(self) -> tuple[Notification, ...]:
        """Everything that was received, in order."""
        found = await ask_for(_Messages, self._client, "GET", "/messages")
        return tuple(
            Notification(seq=message.seq, text=json.dumps(message.body, ensure_ascii=False))
            for message in found.messages
        )
