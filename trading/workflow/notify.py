"""Telling people, through Apprise."""

from __future__ import annotations

import asyncio
import threading
import time

import apprise

from trading.deadline import DeadlineExceeded
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.settings import NotifySettings

log = get_events(__name__)

_ATTEMPT_S = 8.0
_ATTEMPTS = 3
_WAIT_S = 0.5


def warm_up() -> None:
    """Load Apprise's kinds of addresses, a hundred modules, so that forks of this process need not."""
    apprise.Apprise().add("json://127.0.0.1")


async def notify(settings: NotifySettings, *, title: str, body: str) -> bool:
    """Send one message to every address; tries again when that fails, and never raises.

    An attempt that failed may have arrived all the same, when only its answer was lost. It is repeated with the same
    words: to be told twice is the smaller harm.

    Args:
        settings: the addresses.
        title: one line.
        body: the rest.

    Returns:
        Whether every address took it; also True when there is none.
    """
    if not settings.notify_urls:
        log.warning("no_address_to_notify", title=title)
        return True
    left = [url.get_secret_value() for url in settings.notify_urls]
    for attempt in range(1, _ATTEMPTS + 1):
        left = [url for url in left if not await _sent(url, title, body, attempt)]
        if not left:
            log.info("notified", title=title, attempt=attempt)
            return True
        if attempt < _ATTEMPTS:
            await asyncio.sleep(_WAIT_S * attempt)
    log.error("not_notified", title=title, addresses=len(left))
    return False


async def _sent(url: str, title: str, body: str, attempt: int) -> bool:
    started_s = time.monotonic()
    try:
        took, words = await _in_thread(url, title, body)
    except DeadlineExceeded as late:
        took, words = False, str(late)
    if not took:
        cause = "timeout" if "no end" in words else "refused" if "refused" in words else "failed"
        elapsed_s = time.monotonic() - started_s
        attempt_failed(log, "notifications", cause, attempt=attempt, elapsed_s=elapsed_s, error=words)
    return took


def _send(url: str, title: str, body: str) -> tuple[bool, str]:
    sender = apprise.Apprise()
    if not sender.add(url):
        return False, "Apprise does not know this kind of address"
    # Apprise tells the reason of a failure to its log only.
    with apprise.LogCapture(level=apprise.logging.DEBUG) as captured:  # type: ignore[no-untyped-call]
        took = bool(sender.notify(title=title, body=body))
        return took, "" if took else " | ".join(captured.getvalue().split("\n")[-4:])


async def _in_thread(url: str, title: str, body: str) -> tuple[bool, str]:
    """Send in a thread of our own: Apprise blocks, and a trickling answer may block it for ever.

    A daemon thread, since the event loop's own threads are joined at the end of the process, which a dead link would
    then hold.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[bool, str]] = loop.create_future()

    def finish(result: tuple[bool, str]) -> None:
        if not done.done():
            done.set_result(result)

    def send() -> None:
        try:
            result = _send(url, title, body)
        except Exception as error:  # noqa: BLE001 - any error that ends the thread must reach the one who waits for it
            result = (False, f"{type(error).__name__}: {error}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, result)

    threading.Thread(target=send, name="notify", daemon=True).start()
    await asyncio.wait({done}, timeout=_ATTEMPT_S)
    if not done.done():
        done.cancel()
        raise DeadlineExceeded(f"no end of the notification within {_ATTEMPT_S:g} s")
    return done.result()
