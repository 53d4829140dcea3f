"""Who may use the API: every client that carries the token, or every client when no token is set."""

from __future__ import annotations

import secrets

from fastapi import HTTPException, Request, status

from trading.backend.settings import BackendSettings


async def require_token(request: Request) -> None:
    """Refuse a request that does not carry the bearer token of the settings.

    Raises:
        HTTPException: 401, with the challenge that RFC 6750 asks for.
    """
    settings: BackendSettings = request.app.state.settings
    expected = settings.artifact_api_token.get_secret_value()
    if not expected:
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "expected the header 'Authorization: Bearer <ARTIFACT_API_TOKEN>'",
            headers={"WWW-Authenticate": "Bearer"},
        )
