"""A model's answer: it has exactly the form that was asked for, or it is none."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.workflow.analysis.signal import Action
from trading.workflow.errors import AnalysisUnusable

RATIONALE_MAX_CHARACTERS = 2000
_SHOWN_CHARACTERS = 300


class Verdict(BaseModel):
    """What the model says about a symbol.

    Args:
        confidence: 0 to 1.
        rationale: without control characters, which no database takes.
        symbol: what it is about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    action: Action
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    rationale: str = Field(
        min_length=1, max_length=RATIONALE_MAX_CHARACTERS, pattern=r"\A[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\z"
    )
    symbol: str


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    role: Literal["assistant"]
    content: str
    refusal: None = None


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    # Anything else is an answer that was cut off, filtered, or no answer at all.
    finish_reason: Literal["stop"]
    message: _Message


class _Completion(BaseModel):
    """As much of the API's answer as tells that it is one; the real ones carry more."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    choices: list[_Choice] = Field(min_length=1, max_length=1)


def response_format(symbol: str) -> dict[str, object]:
    """The form that the answer must have, in the API's own terms.

    It names no limits: some endpoints refuse a strict schema with `maximum` or `maxLength`. `Verdict` holds them.
    """
    properties = {
        "action": {"type": "string", "enum": ["BUY", "SELL", "HOLD"]},
        "confidence": {"type": "number", "description": "From 0 to 1."},
        "rationale": {"type": "string", "description": f"At most {RATIONALE_MAX_CHARACTERS} characters."},
        "symbol": {"type": "string", "enum": [symbol]},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}


def read_verdict(answer: bytes, symbol: str) -> tuple[Verdict, str]:
    """Read the verdict out of an API's answer.

    Args:
        answer: the body.
        symbol: what was asked about.

    Returns:
        The verdict, and the text in which the model gave it.

    Raises:
        AnalysisUnusable: the answer has another form, or is about another symbol.
    """
    try:
        completion = _Completion.model_validate(_json(answer.decode()))
    except (ValueError, RecursionError) as error:
        raise AnalysisUnusable("bad_answer", f"no chat completion ({_why(error)}): {_shown(answer)}") from error
    text = completion.choices[0].message.content
    try:
        verdict = Verdict.model_validate(_json(text))
    except (ValueError, RecursionError) as error:
        raise AnalysisUnusable("bad_answer", f"no verdict ({_why(error)}): {_shown(text)}") from error
    if verdict.symbol != symbol:
        raise AnalysisUnusable("bad_answer", f"asked about {symbol}, and the verdict is about {_shown(verdict.symbol)}")
    return verdict, text


def _json(text: str) -> object:
    """Decode JSON as its standard has it: no NaN, and no key twice, of which one would have to be picked."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        decoded = dict(pairs)
        if len(decoded) < len(pairs):
            raise ValueError("a key stands there twice")
        return decoded

    return json.loads(text, parse_constant=refuse, object_pairs_hook=without_repeats)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'all of it'}: {first['msg']}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _shown(value: bytes | str) -> str:
    # Escaped, since it goes into logs, notes and notifications, and may hold anything.
    text = value[:_SHOWN_CHARACTERS].decode(errors="replace") if isinstance(value, bytes) else value[:_SHOWN_CHARACTERS]
    return ascii(text)
