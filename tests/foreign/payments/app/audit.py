"""Looks at the payments again and again, and says how many there are."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request

BASE = f"http://{os.environ['API_HOST']}:{os.environ['API_PORT']}/payments"


def count() -> int:
    """Go through every page."""
    found, after = 0, 0
    while True:
        with urllib.request.urlopen(f"{BASE}?after={after}", timeout=2) as answer:  # noqa: S310 - the address is its own
            page = json.load(answer)
        found += len(page["data"]["items"])
        if page["next"] is None:
            return found
        after = page["next"]


while True:
    try:
        print(f"{count()} payments", flush=True)  # noqa: T201 - its log is its standard output
    except OSError as error:
        print(f"cannot count: {error}", file=sys.stderr, flush=True)  # noqa: T201
    time.sleep(0.5)
