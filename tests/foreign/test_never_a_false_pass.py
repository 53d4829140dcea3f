"""What was not seen is never a pass, and what was broken is found, also where a file leaves much out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign.tiny import POLLS, REQUESTS, WATCH, Drilled, Fields, drill, fault

FAIL, INCONCLUSIVE, WATCHED_ONLY = (1, "FAIL"), (3, "INCONCLUSIVE"), "WATCHED ONLY"
# The client of the server is at work as well, and its requests have numbers, too: the steady run is over by then.
AFTER_THE_STEADY_RUN = 5
IDLE = "while True: time.sleep(60)\n"


def came_to(found: Drilled) -> tuple[int, str]:
    """The exit code and the verdict."""
    return found.exit_code, found.verdict


@pytest.mark.parametrize("promises", [[], ["bounded"]], ids=["all", "bounded"])
@pytest.mark.parametrize("status", [500, None], ids=["answered-500", "connection-ended"])
def test_system_that_answers_nothing_well_from_the_first_second(
    tmp_path: Path, status: int | None, promises: list[str]
) -> None:
    """Where not even the steady run went well, nothing can be said of the drilled one, by any promise."""
    never = f"def answer(number): return {status}\n"
    found = drill(tmp_path, server=never, client=IDLE, workload=REQUESTS, promises=promises)
    assert came_to(found) == INCONCLUSIVE, found


@pytest.mark.parametrize("status", [500, None], ids=["answered-500", "connection-ended"])
def test_drilled_run_that_fails_without_a_fault(tmp_path: Path, status: int | None) -> None:
    """A run whose every request fails while nothing is wrong is a failure, with any adapters."""
    later = f"def answer(number): return 200 if number <= {AFTER_THE_STEADY_RUN} else {status}\n"
    found = drill(tmp_path, server=later, client=IDLE, workload=REQUESTS)
    assert came_to(found) == FAIL, found


GIVES_UP = """\
while True:
    try: print("polled", call(), flush=True)
    except OSError as error:
        print("poll failed, giving up:", error, flush=True)
        break
    time.sleep(0.1)
while True: time.sleep(60)
"""


def test_client_that_gives_up_for_ever_is_no_pass(tmp_path: Path) -> None:
    """Where nothing of its work is known, the verdict says that it was only watched."""
    found = drill(tmp_path, client=GIVES_UP, faults=[fault("refused")])
    assert found.exit_code != 0, found
    assert found.verdict in (WATCHED_ONLY, "FAIL"), found


GOES_ON: Fields = {"probes": {"cli-goes-on": {"log": "cli", "matches": "polled", "at_least": 1, "during": "after"}}}


@pytest.mark.parametrize(("client", "verdict"), [(GIVES_UP, FAIL), (POLLS, (0, "PASS"))], ids=["gives-up", "goes-on"])
def test_client_whose_words_are_promised_is_judged_by_them(
    tmp_path: Path, client: str, verdict: tuple[int, str]
) -> None:
    """With the promise that `harness init` proposes, the one that gives up fails, and the one that goes on passes."""
    found = drill(tmp_path, client=client, adapters=GOES_ON, faults=[fault("refused")])
    assert came_to(found) == verdict, found


LEAKS = """\
import http.client
from urllib.parse import urlsplit
place, kept, leaking = urlsplit(os.environ["URL"]), [], False
while True:
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=1)
    try:
        connection.request("GET", place.path)
        print("polled", connection.getresponse().status, flush=True)
    except OSError as error:
        print("poll failed:", error, flush=True)
        leaking = True
    if leaking: kept.append(connection)
    else: connection.close()
    time.sleep(0.05)
"""


def test_connections_that_are_never_given_back_are_found(tmp_path: Path) -> None:
    """From the first failure on, a client opens a connection for each call and closes none: it does not go on so."""
    found = drill(tmp_path, client=LEAKS, adapters=GOES_ON, faults=[fault("refused")])
    assert came_to(found) == FAIL, found


STORMS = """\
while True:
    try:
        print("polled", call(), flush=True)
        time.sleep(0.2)
    except OSError as error:
        pass
"""


def test_retry_storm_is_found(tmp_path: Path) -> None:
    """A client that tries again at once, thousands of times, harms what it calls, and is not well because it recovers."""
    found = drill(tmp_path, client=STORMS, adapters=GOES_ON, faults=[fault("refused", for_s=3)])
    assert came_to(found) == FAIL, found


ALWAYS_TIMEOUTS = """\
while True:
    print("no timeout so far", flush=True)
    time.sleep(0.05)
"""


def test_lines_that_are_written_all_the_time_prove_no_hit(tmp_path: Path) -> None:
    """A client that never calls meets no fault, however often its log says `timeout`."""
    found = drill(tmp_path, client=ALWAYS_TIMEOUTS, workload=WATCH, faults=[fault("blackhole")])
    assert came_to(found) == INCONCLUSIVE, found
    assert ("fault-hit", "the fault did not hit: it was on, but hit nothing of the system") in found.findings


ENDS_ON_FAILURE = POLLS.replace('print("poll failed:", error, flush=True)', 'sys.exit(f"poll failed: {error}")')


@pytest.mark.parametrize(
    ("restart", "verdict"),
    [("no", FAIL), ("always", (0, "PASS"))],
    ids=["stays-down", "is-restarted"],
)
def test_client_that_ends_under_a_fault_is_judged_by_its_recovery(
    tmp_path: Path, restart: str, verdict: tuple[int, str]
) -> None:
    """A crash that a fault causes is the system's own, and so is the recovery that its restart policy gives it."""
    found = drill(tmp_path, client=ENDS_ON_FAILURE, adapters=GOES_ON, faults=[fault("refused")], restart=restart)
    assert came_to(found) == verdict, found
