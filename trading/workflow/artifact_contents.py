"""What each type of artifact must hold, and which of its numbers must be exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

ArtifactType = Literal["llm", "chart", "signal", "order", "trade", "portfolio", "market_data"]

NEEDED: Mapping[ArtifactType, tuple[str, ...]] = {
    "llm": ("prompt", "response", "model_name"),
    "chart": ("image_path", "chart_type"),
    "signal": ("action", "confidence", "signal_data"),
    "order": ("metadata",),
    "trade": ("metadata",),
    "portfolio": ("metadata",),
    "market_data": ("metadata",),
}

# In these every number is money, a quantity, or a count.
_EXACT: frozenset[ArtifactType] = frozenset({"order", "trade", "portfolio", "market_data"})


def _exact(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError("expected a decimal number as a text, as in '192.50'")
    return text


def _above_zero(text: str) -> str:
    if Decimal(text) <= 0:
        raise ValueError("expected a number above 0")
    return text


def _not_below_zero(text: str) -> str:
    if Decimal(text) < 0:
        raise ValueError("expected 0 or more")
    return text


Amount = Annotated[str, Field(strict=True), AfterValidator(_exact)]
Quantity = Annotated[Amount, AfterValidator(_above_zero)]
Share = Annotated[Amount, AfterValidator(_not_below_zero)]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Order(_Content):
    """An order's metadata; one that was never meant to be sent has a status and nothing else."""

    status: str = Field(min_length=1, max_length=50)
    quantity: Quantity | None = None
    filled: Share | None = None
    avg_price: Amount | None = None
    limit_price: Amount | None = None


class _Execution(_Content):
    shares: Quantity
    price: Amount
    commission: Amount | None = None


class _Trades(_Content):
    executions: tuple[_Execution, ...]


class _Priced(_Content):
    close: Amount | None = None


_CONTENTS: Mapping[ArtifactType, tuple[str, type[_Content]]] = {
    "order": ("metadata", _Order),
    "trade": ("metadata", _Trades),
    "signal": ("signal_data", _Priced),
    "chart": ("chart_data", _Priced),
}


def content_problem(kind: ArtifactType, fields: Mapping[str, JsonValue]) -> str:
    """Say what is wrong with the contents of an artifact; empty when nothing is.

    Args:
        kind: the artifact's type.
        fields: the artifact's fields by name.
    """
    missing = [field for field in NEEDED[kind] if fields[field] is None]
    if missing:
        return f"an artifact of type {kind} needs {', '.join(missing)}"
    if kind in _EXACT and (inexact := _first_float(fields["metadata"], "metadata")):
        return f"{inexact} is a float: expected a Decimal, since money is never a float"
    field, model = _CONTENTS.get(kind, ("", _Content))
    if not field or fields[field] is None:
        return ""
    try:
        model.model_validate(fields[field])
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join([field, *(str(part) for part in first['loc'])])}: {first['msg']}"
    return ""


def stays_in_folder(path: str) -> bool:
    """Whether a path names a file below the folder that it is taken from, on every system."""
    return not (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path or ":" in path)


def _first_float(value: JsonValue, where: str) -> str:
    if isinstance(value, float):
        return where
    if isinstance(value, dict):
        found = (_first_float(item, f"{where}.{key}") for key, item in value.items())
    elif isinstance(value, list):
        found = (_first_float(item, f"{where}[{place}]") for place, item in enumerate(value))
    else:
        return ""
    return next((place for place in found if place), "")
