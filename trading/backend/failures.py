"""What a request is answered when it fails: always JSON, with the cause left for the log."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from trading.backend.chart_folder import ChartsUnavailable
from trading.backend.errors import DatabaseUnavailable, SchemaMissing, ValueRefused
from trading.backend.migrate import Migration

_RETRY_AFTER = "1"
_CAUSE_MAX_LENGTH = 500


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    return _answer(request, status.HTTP_503_SERVICE_UNAVAILABLE, str(error), {"Retry-After": _RETRY_AFTER})


async def _no_database(request: Request, error: Exception) -> JSONResponse:
    migration: Migration = request.app.state.migration
    if isinstance(error, SchemaMissing):
        migration.want()
        return await _unavailable(request, DatabaseUnavailable(f"{error}; {migration.state}"))
    return await _unavailable(request, DatabaseUnavailable(f"the database is not available: {error}"))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    # Without the input, which may be large, or something that JSON cannot carry.
    errors = cast("RequestValidationError", error).errors()
    detail = [{key: each[key] for key in ("type", "loc", "msg")} for each in errors]
    cause = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors)
    return _answer(request, status.HTTP_422_UNPROCESSABLE_CONTENT, detail, cause=cause)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return _answer(request, status.HTTP_422_UNPROCESSABLE_CONTENT, f"the database refused a value: {error}")


async def _http(request: Request, error: Exception) -> JSONResponse:
    failure = cast("HTTPException", error)
    return _answer(request, failure.status_code, failure.detail, dict(failure.headers or {}))


async def _left(request: Request, _error: Exception) -> JSONResponse:
    return _answer(request, status.HTTP_400_BAD_REQUEST, "the client left before its request had come")


def _answer(
    request: Request, code: int, detail: object, headers: dict[str, str] | None = None, *, cause: str = ""
) -> JSONResponse:
    request.state.cause = (cause or str(detail))[:_CAUSE_MAX_LENGTH]
    return JSONResponse({"detail": detail}, code, headers=headers)


def answer_failures(app: FastAPI) -> None:
    """Have an application answer its failures in this way."""
    app.add_exception_handler(DatabaseUnavailable, _no_database)
    app.add_exception_handler(ChartsUnavailable, _unavailable)
    app.add_exception_handler(ValueRefused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
