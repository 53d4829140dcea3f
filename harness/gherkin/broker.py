"""What a feature says of the broker: what the gateway does with the N-th order, told without a link or a service."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import ScenarioError
from harness.gherkin.phrases import ORDINAL, injection_of, place
from harness.scenario.model import Injection
from harness.stack.stack import Stack

_REJECTED = 201
_DOES: Mapping[str, str] = {
    "rejects": "order-rejected",
    "holds": "order-held",
    "never fills": "never-filled",
    "fills in part": "partly-filled",
    "cancels": "order-cancelled",
}
ORDER_STEP = (
    rf"the gateway (?P<does>{'|'.join(_DOES)}) the (?P<nth>{ORDINAL}) order"
    r'(?: with (?P<code>\d+))?(?: "(?P<text>[^"]+)")?'
)
"""The step, as a regular expression: ``the gateway rejects the third order with 201 "NO MONEY"``."""


def order_trouble(stack: Stack, does: str, nth: str, code: str | None, text: str | None) -> Injection:
    """What goes wrong with one order, from when it comes until the run ends.

    Args:
        stack: whose gateway stub it is.
        does: what the gateway does, as the step says it.
        nth: which order, as the step says it.
        code: IB's error code; only of an order that is rejected.
        text: what the client is told; only of an order that is rejected or cancelled.

    Raises:
        ScenarioError: the stack names no gateway stub, or the words do not go together.
    """
    if stack.adapters.gateway is None or stack.adapters.gateway.service is None:
        raise ScenarioError(f"{stack.path.name} names no gateway stub: x-harness.adapters.gateway says where it is")
    fault: dict[str, object] = {"gateway": _DOES[does], "times": 1}
    if code is not None and does != "rejects":
        raise ScenarioError(f"only an order that is rejected has an error code, and this gateway {does} it")
    if code is not None and int(code) != _REJECTED:
        fault = {"gateway": "order-error", "times": 1, "code": int(code), **({"text": text} if text else {})}
    elif text is not None:
        fault["reason"] = text
    return injection_of(
        {
            "service": stack.adapters.gateway.service,
            "is": fault,
            "from": {"request": "placeOrder", "nth": place(nth)},
            "until": "run-ended",
        },
        said=f"the gateway {does} the {nth} order",
    )
