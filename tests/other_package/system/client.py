"""Asks the server for its things, over and over, and says what it came to."""

import http.client
import os
import time
from urllib.parse import urlsplit

print("asks", flush=True)  # noqa: T201 - its log is its output
while True:
    try:
        connection = http.client.HTTPConnection(urlsplit(os.environ["SERVER_URL"]).netloc, timeout=1)
        connection.request("GET", "/things")
        connection.getresponse().read()
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        print(f"no things: {type(error).__name__}: {error}", flush=True)  # noqa: T201
    time.sleep(0.2)
