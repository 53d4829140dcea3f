"""Payments over HTTP, kept in Postgres: POST /payments {"id", "cents"}, GET /payments?after=N, GET /healthz."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import psycopg

DB_URL = os.environ["DB_URL"]
PORT = int(os.environ["LISTEN_PORT"])
# Answer first, store later: faster, and wrong.
ACK_EARLY = os.environ.get("ACK_EARLY") == "yes"
STORE_AFTER_S = float(os.environ.get("STORE_AFTER_S", "0"))
PAGE = 7


def log(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - its log is its standard error


def store(payment: dict[str, object]) -> None:
    """Store a payment once, however often it comes."""
    with psycopg.connect(DB_URL, connect_timeout=2) as connection:
        connection.execute(
            "INSERT INTO payments (id, cents) VALUES (%(id)s, %(cents)s) ON CONFLICT (id) DO NOTHING", payment
        )


def store_later(payment: dict[str, object]) -> None:
    """Store a payment, and only say so when that fails."""
    time.sleep(STORE_AFTER_S)
    try:
        store(payment)
    except psycopg.Error as error:
        log(f"lost {payment['id']}: {error}")


class Payments(BaseHTTPRequestHandler):
    """The API."""

    def do_POST(self) -> None:
        """Take a payment."""
        payment = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if ACK_EARLY:
            threading.Thread(target=store_later, args=(payment,), daemon=True).start()
            self._answer(202, {"id": payment["id"]})
            return
        try:
            store(payment)
        except psycopg.Error as error:
            log(f"not stored {payment['id']}: {error}")
            self._answer(503, {"error": "try again"})
        else:
            self._answer(201, {"id": payment["id"]})

    def do_GET(self) -> None:
        """Tell of health, or of a page of payments."""
        url = urlsplit(self.path)
        if url.path == "/healthz":
            self._answer(200, {"up": True})
            return
        after = int(parse_qs(url.query).get("after", ["0"])[0])
        with psycopg.connect(DB_URL, connect_timeout=2) as connection:
            rows = connection.execute(
                "SELECT id, cents FROM payments ORDER BY taken_at, id LIMIT %s OFFSET %s", (PAGE + 1, after)
            ).fetchall()
        items = [{"payment": {"id": row[0], "cents": row[1]}} for row in rows[:PAGE]]
        self._answer(200, {"data": {"items": items}, "next": after + PAGE if len(rows) > PAGE else None})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    log(f"payments on {PORT}, acknowledged {'early' if ACK_EARLY else 'once stored'}")
    ThreadingHTTPServer(("", PORT), Payments).serve_forever()
