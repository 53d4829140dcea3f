"""How a scenario says from when in a connection's life a fault of answers acts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from harness.faults.link.answers import AnswerFault
from harness.scenario.model import Injection


def fault_of(written: object) -> AnswerFault:
    """The fault, as a scenario writes it."""
    injection = Injection.model_validate({"link": "a -> b", "is": written, "for_s": 1})
    assert isinstance(injection.fault, AnswerFault)
    assert Injection.model_validate(injection.model_dump(mode="json", by_alias=True)) == injection
    return injection.fault


@pytest.mark.parametrize(
    ("written", "protocol", "after", "spares_greeting"),
    [
        ("answer-lost", "postgres", "handshake", True),
        ("answer-lost", "tws", "handshake", True),
        ("answer-lost", "tls", "handshake", True),
        ("answer-lost", "http", "", False),
        ("answer-lost", "tcp", "", False),
        ({"answer-lost": {"after": "connect"}}, "postgres", "", False),
        ({"answer-lost": {"after": "handshake"}}, "http", "", False),  # it has none
        ({"answer-lost": {"at_answer": 1}}, "http", "", False),
        ({"answer-lost": {"at_answer": 2}}, "http", "", True),
        ({"answer-lost": {"after": "connect", "at_answer": 2}}, "tws", "", True),
        ({"latency": {"delay_ms": 5, "after_bytes": 10}}, "http", "", True),
        ({"latency": {"delay_ms": 5}}, "http", "", False),
    ],
)
def test_handshake_is_spared_where_there_is_one(
    written: object, protocol: str, after: str, *, spares_greeting: bool
) -> None:
    """Left out, it is behind the handshake of a protocol that has one; and it is known what a probe can see of it."""
    fault = fault_of(written)
    assert fault.told_witness(protocol).attributes["after"] == after
    assert fault.spares_greeting(protocol) is spares_greeting


@pytest.mark.parametrize(
    "settings", [{"after": "later"}, {"after_bytes": 0}, {"at_answer": 0}, {"after_bytes": 1, "at_answer": 1}]
)
def test_settings_that_make_no_sense_are_refused(settings: Mapping[str, object]) -> None:
    """What cannot be meant is told when the scenario is read."""
    with pytest.raises(ValidationError):
        fault_of({"answer-lost": settings})
