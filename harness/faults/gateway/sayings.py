"""How features say the most used faults of the gateway; each saying with the settings that it stands for."""

from __future__ import annotations

from collections.abc import Mapping

SAYINGS: Mapping[str, Mapping[str, object]] = {
    "rejects orders": {"gateway": "order-rejected"},
    "rejects one order": {"gateway": "order-rejected", "times": 1},
    "answers orders with error {code}": {"gateway": "order-error"},
    "answers one order with error {code}": {"gateway": "order-error", "times": 1},
    "holds orders": {"gateway": "order-held"},
    "holds orders until the market opens": {"gateway": "market-closed"},
    "never fills orders": {"gateway": "never-filled"},
    "fills orders in part": {"gateway": "partly-filled"},
    "reports executions twice": {"gateway": "duplicate-executions"},
    "reports executions before states": {"gateway": "execution-first"},
    "loses its connection to IB": {"gateway": "connectivity-lost"},
    "fills orders while it has lost its connection to IB": {"gateway": "fills-under-1100"},
    "lets connections die without a close": {"gateway": "connection-dead"},
    "restarts for {refuse_s} s": {"gateway": "daily-restart"},
    "comes to the next {to}": {"gateway": "time-passes"},
    "needs a login": {"gateway": "login-needed"},
}
"""For each phrase, what it stands for; settings that a feature says itself stand in braces."""
