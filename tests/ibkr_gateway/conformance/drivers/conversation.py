"""Commands as JSON lines on standard input, one answer as a JSON line on standard output for each.

To ``{"number": 7, "command": "qualify", "arguments": {"symbol": "AAPL", "security_type": "STK"}}`` the answer is
``{"number": 7, "result": [{"con_id": 265598, …}]}`` or ``{"number": 7, "error": "TimeoutError", "text": "…"}``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO

from .driver import Driver

# The journal's waits are shorter, so that they can say what is missing.
_LONGEST_S = 10.0
COMMANDS = frozenset(name for name in vars(Driver) if not name.startswith("_"))


def converse(make: Callable[[], Driver]) -> None:
    """Do what is asked until standard input ends.

    Args:
        make: makes the driver, inside the event loop that its library will live in.
    """
    answers = sys.stdout
    # What a library prints must not come between the answers.
    sys.stdout = sys.stderr
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(relativeCreated)d %(name)s %(message)s")
    asyncio.run(_converse(make, answers))


async def _converse(make: Callable[[], Driver], answers: TextIO) -> None:
    driver = make()
    loop = asyncio.get_running_loop()
    # In a thread, so that the library goes on receiving while nothing is asked.
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        answer = {"number": request["number"], **await _answer(driver, request)}
        answers.write(json.dumps(answer, default=_encode) + "\n")
        answers.flush()
    await driver.disconnect()


async def _answer(driver: Driver, request: dict[str, Any]) -> dict[str, Any]:
    if request["command"] not in COMMANDS:
        return {"error": "ValueError", "text": f"there is no command {request['command']!r}"}
    try:
        async with asyncio.timeout(_LONGEST_S):
            return {"result": await getattr(driver, request["command"])(**request["arguments"])}
    except Exception as error:
        # What a library raises is an answer like any other.
        logging.getLogger(__name__).info("%s failed", request["command"], exc_info=True)
        return {"error": type(error).__name__, "text": str(error)}


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.isoformat()
