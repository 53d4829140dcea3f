"""One line in the log for each request to the artifacts API, with the cause when it failed."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

_FAILED = 400


class RequestLog:
    """Logs method, path, status and elapsed time.

    It wraps the application itself: FastAPI's own kind of middleware would run each request in a task of its own.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log it."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            # The path as it was sent: what is decoded may hold line breaks.
            path, elapsed_ms = scope["raw_path"].decode("ascii", "replace"), (time.perf_counter() - started_s) * 1000
            said = "artifact_request method=%s path=%s status=%d elapsed_ms=%.1f"
            if status < _FAILED:
                _log.info(said, scope["method"], path, status, elapsed_ms)
            else:
                cause = scope.get("state", {}).get("cause", "unknown")
                _log.warning(f"{said} cause=%r", scope["method"], path, status, elapsed_ms, cause)
