"""The notification sink: its record is the witness for alerts."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from harness.clients.http import ask, ask_for, open_client
from harness.history.reads import Notification


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int
    body: object


class _Messages(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    messages: list[_Message]


class NotificationSink:
    """The sink at ``url``."""

    def __init__(self, url: str) -> None:
        self._client = open_client(url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

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
