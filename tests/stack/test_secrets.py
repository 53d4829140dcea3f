"""What gives a secret of the stack away."""

from __future__ import annotations

from harness.stack.secrets import found_in, telling
from tests.stack.conftest import Load


def test_secrets_and_passwords_in_addresses_give_themselves_away(small: Load) -> None:
    """A named secret is known by itself, a short password with the user and the address around it, a PIN not at all."""
    address = "postgresql://trader:short@server:8000/trading"
    given = {"PIN": "1234", "TOKEN": "a-long-token"}
    stack = small(
        ("SERVER_PORT:", f"DATABASE_URL: {address}\n      SERVER_PORT:"),
        ("[TOKEN]", "[TOKEN, PIN]"),
        **given,
    )
    secrets = telling(stack)
    assert found_in("Bearer a-long-token", secrets) == ("TOKEN",)
    assert found_in("connecting to postgresql://trader:short@127.0.0.1:20012/trading", secrets) == (
        "the password in DATABASE_URL",
    )
    assert found_in("a short line of 1234 bytes, postgresql://trader:***@db:5432/trading", secrets) == ()
