"""What must not be read by others: the stack's named secrets, and the passwords in the addresses that it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from harness.stack.stack import Stack

# Shorter ones would be found in ordinary words.
_SHORTEST = 8
NO_SECRETS: Mapping[str, str] = MappingProxyType({})
_IN_ADDRESS = re.compile(r"://[^\s:/@]+:[^\s@/]+@")


def telling(stack: Stack) -> Mapping[str, str]:
    """What gives each secret away where it stands in a text, by the secret's name.

    A password may be as short as a word; one that came in an address is looked for as it stands there, with its user.
    """
    found = {name: secret for name, secret in stack.secrets.items() if len(secret) >= _SHORTEST}
    for service in stack.services.values():
        for variable, value in service.environment.items():
            for match in _IN_ADDRESS.finditer(value):
                found.setdefault(f"the password in {variable}", match[0])
    return found


def found_in(text: str, secrets: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the secrets that stand in a text.

    Args:
        text: any.
        secrets: what gives each away, by its name.
    """
    return tuple(name for name, secret in secrets.items() if secret in text)
