"""A request's body: read up to a limit, checked, and refused with the place and the field that are wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

from fastapi import HTTPException, Request, status
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from trading.backend.errors import ValueRefused

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]

SIZE_MAX_BYTES = 8 * 1024 * 1024
BATCH_SIZE_MAX_BYTES = 16 * 1024 * 1024


async def body_of(request: Request, model: type[M], *, size_max_bytes: int = SIZE_MAX_BYTES) -> M:
    """Read and check a body.

    It is not a parameter of the route, since FastAPI would read it into Python's objects before it is checked: that
    takes longer than all the rest of a request.

    Args:
        request: whose body.
        model: what it must be.
        size_max_bytes: how large it may be.

    Raises:
        HTTPException: 413, it is larger.
        RequestValidationError: it is something else; says what is wrong where.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > size_max_bytes:
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"at most {size_max_bytes} bytes are taken at once")
    try:
        return model.model_validate_json(bytes(data))
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([_wrong(error["loc"], error["type"], error["msg"]) for error in errors]) from None


def refused(body: BaseModel, error: ValueRefused) -> RequestValidationError:
    """Find out which values the database has refused: those that JSON can carry and Postgres cannot.

    It is looked for only then: Postgres looks at every value anyway.
    """
    found = [_wrong(place, "value_refused", why) for place, why in _not_storable((), body.model_dump())]
    return RequestValidationError(found or [_wrong((), "value_refused", str(error))])


def _wrong(place: Place, kind: str, words: str) -> dict[str, Any]:
    return {"type": kind, "loc": ("body", *place), "msg": words}


def _not_storable(place: Place, value: object) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                yield place, "a name in it contains U+0000, which PostgreSQL cannot store"
            yield from _not_storable((*place, key), item)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _not_storable((*place, position), item)
    elif isinstance(value, str) and "\0" in value:
        yield place, "it contains U+0000, which PostgreSQL cannot store"
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, f"it is {value}: expected a finite number"


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """What the API's description says of a route whose body `body_of` reads."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return whole(definitions[part["$ref"].rsplit("/", 1)[1]])
            return {key: whole(value) for key, value in part.items()}
        return [whole(value) for value in part] if isinstance(part, list) else part

    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole(schema)}}}}
