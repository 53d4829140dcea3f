"""The storage client against a backend that fails in every way seen: one row, or one in the spool and one row later.

A quarter of the real times: an answer that is 12 s late of 15 s is 3 s late of 4 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.trading.artifact_case import Case, End, replay_all, settings_of, store
from tests.trading.fault_backend import failing
from tests.trading.parts import Parts, new_run
from tests.trading.process import free_port

_TOTAL_S = 4.0
_LATE_S = 3.0
_SIDE_BY_SIDE = 4
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail, and what must come of it.

    Args:
        answers: names of the fault server's faults, request by request; none for a port that refuses.
        always: whether the last one goes on for ever.
        end: what the client says.
        cause: why, when it is not stored.
        requests: how many it takes; None when chance and time decide.
        total_s: the client's deadline.
    """

    answers: tuple[str, ...] = ()
    always: bool = False
    end: End = "stored"
    cause: str = ""
    requests: int | None = 2
    total_s: float = _TOTAL_S


def _once(*answers: str) -> Fault:
    return Fault(answers, requests=len(answers) + 1)


def _for_ever(answer: str, cause: str) -> Fault:
    return Fault((answer,), always=True, end="spooled", cause=cause, requests=None)


def _refusal(answer: str) -> Fault:
    return Fault((answer,), end="raised", cause=answer, requests=1)


FAULTS: Mapping[str, Fault] = {
    "none": _once(),
    "refused, down for longer than the retries": Fault(end="spooled", cause="refused", requests=0),
    "500 before commit": _once("500"),
    "500 before commit, always": _for_ever("500", "http_5xx"),
    "500 after commit": _once("500 after commit"),
    "500 after commit, always": _for_ever("500 after commit", "http_5xx"),
    "503 with a time to wait": _once("503, 1 s"),
    "408": _once("408"),
    "425": _once("425"),
    "429": _once("429"),
    "429, always": _for_ever("429", "http_429"),
    "429 with a time to wait": _once("429, 1 s"),
    "429 with a date to wait for": _once("429, a date 1 s from now"),
    "429 with a longer wait than there is time": Fault(("429, an hour",), end="spooled", cause="http_429", requests=1),
    "400": _refusal("400"),
    "401": _refusal("401"),
    "404": _refusal("404"),
    "413": _refusal("413"),
    "422": _refusal("422"),
    "reset before the first byte": _once("reset before"),
    "reset before the first byte, always": _for_ever("reset before", "reset"),
    "reset in mid-body": _once("reset in body"),
    "reset in mid-body, always": _for_ever("reset in body", "reset"),
    "reset after commit": _once("reset after commit"),
    "reset after commit, always": _for_ever("reset after commit", "reset"),
    "12 s late": _for_ever("late", "timeout"),
    "12 s late, once": _once("late"),
    "late after commit": _for_ever("late after commit", "timeout"),
    "late after commit, once": _once("late after commit"),
    "held, then forwarded": _for_ever("held", "timeout"),
    "held, then forwarded, once": _once("held"),
    "silent after commit": _for_ever("silent after commit", "timeout"),
    "trickle": _for_ever("trickle", "timeout"),
    "HTML with 200": _once("html"),
    "HTML with 200, always": _for_ever("html", "bad_answer"),
    "empty 200": _once("empty"),
    "empty 200, always": _for_ever("empty", "bad_answer"),
    "{}": _once("{}"),
    "{}, always": _for_ever("{}", "bad_answer"),
    "another row": _once("another row"),
    "another row, always": _for_ever("another row", "bad_answer"),
    # Their waits alone may take longer than the other rows have.
    "three in a row": Fault(("reset before", "500 after commit", "html"), requests=4, total_s=15.0),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the artifact under a fault, and of the spool after it was lifted.

    Args:
        case: at first.
        requests: how many the backend got.
        keys: their idempotency keys.
        left: what a replay left in the spool.
        rows: in Postgres at the end.
    """

    case: Case
    requests: int
    keys: set[str]
    left: int
    rows: int


def _suffer(parts: Parts, folder: Path, fault: Fault) -> Result:
    run = new_run()
    refused = f"http://127.0.0.1:{free_port()}"
    with failing(parts.backend_url, *fault.answers, always=fault.always, late_s=_LATE_S) as backend:
        url = backend.url if fault.answers or fault.requests else refused
        case = store(settings_of(parts, folder, backend_api_url=url, artifact_total_s=fault.total_s), run)
    left = replay_all(settings_of(parts, folder)).left
    keys = {request.headers["idempotency-key"] for request in backend.requests}
    return Result(case, len(backend.requests), keys, left, len(parts.artifacts(run)))


@pytest.fixture(scope="module")
def results(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Result]]]:
    """All faults, a few side by side: most of their time is waiting."""
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        yield {
            name: pool.submit(_suffer, parts, folder / str(number), fault)
            for number, (name, fault) in enumerate(FAULTS.items())
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", FAULTS)
def test_artifact_is_stored_once_after_any_failure(results: dict[str, Future[Result]], name: str) -> None:
    """One row, or one in the spool and one row after a replay, or one dead letter; and always within the deadline."""
    fault, result = FAULTS[name], results[name].result(60)
    case = result.case
    assert case.end == fault.end
    assert fault.cause in case.cause
    assert case.elapsed_s < fault.total_s
    assert fault.requests in {None, result.requests}
    assert result.requests <= _ATTEMPTS
    assert len(result.keys) == (result.requests > 0)
    assert result.left == 0
    if case.dead:
        assert (case.end, len(case.dead), result.rows) == ("raised", 1, 0)
        assert fault.cause in case.dead[0].reason
    else:
        assert len(case.waiting) == (case.end != "stored")
        assert result.rows == 1
