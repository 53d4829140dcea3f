"""The spool: what it has taken is on disk, once, in order, also while others use it and after any crash."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trading.process import wait_until
from trading.workflow.errors import SpoolBroken, SpoolFull
from trading.workflow.spool import Spool, SpooledArtifact, other_hosts, spool_file

_MIB = 1024 * 1024
_PROCESSES = 6

_FILL = """
import sys
from pathlib import Path
from trading.workflow.spool import Spool

spool = Spool(Path(sys.argv[1]), max_bytes=64 * 1024 * 1024)
number = 0
while True:
    spool.add(key=f"{sys.argv[2]}-{number}", execution_id="run", name="n", body="{}", cause="c")
    print(number, flush=True)
    number += 1
"""

_OPEN_TOGETHER = """
import os, sys
from pathlib import Path
from trading.workflow.spool import Spool

for round in range(40):
    ready = os.read(0, 1)
    with Spool(Path(sys.argv[1]) / str(round), max_bytes=1024 * 1024) as spool:
        spool.add(key=sys.argv[2], execution_id="run", name="n", body="{}", cause="c")
    os.write(1, b".")
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool in a folder of the test."""
    with Spool(tmp_path, max_bytes=64 * _MIB) as opened:
        yield opened


def add(spool: Spool, *keys: str, body: str = "{}") -> None:
    """Put artifacts into a spool."""
    for key in keys:
        spool.add(key=key, execution_id="run", name=f"name of {key}", body=body, cause="refused")


def keys_of(artifacts: list[SpooledArtifact]) -> list[str]:
    """The keys of artifacts, in their order."""
    return [artifact.idempotency_key for artifact in artifacts]


def test_spool_is_for_its_owner_only(tmp_path: Path) -> None:
    """No other user may read prompts, responses and positions: not the file, its log, its index, nor the lock."""
    spool_file(tmp_path).touch(0o644)
    before = os.umask(0)
    try:
        with Spool(tmp_path, max_bytes=_MIB) as spool, spool.replaying():
            add(spool, "one")
            modes = {file.name.split(".", 1)[1]: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("sqlite3", "sqlite3-wal", "sqlite3-shm", "lock"), 0o600)


def test_spool_syncs_every_write(spool: Spool) -> None:
    """The promise to survive a crash of the machine rests on these two."""
    assert spool._file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert spool._file.execute("PRAGMA synchronous").fetchone() == (2,)


def test_spool_keeps_an_artifact_once(spool: Spool) -> None:
    """A task that runs again while the backend is down adds nothing."""
    add(spool, "one", "two", "one")
    assert keys_of(spool.waiting()) == ["one", "two"]
    assert spool.waiting_count() == 2


def test_spool_gives_what_has_waited_longest(spool: Spool) -> None:
    """In the order of arrival, as many and as much as is asked for, but one at least."""
    add(spool, "one", "two", "three", body="x" * 1000)
    assert keys_of(spool.ahead()) == ["one"]
    assert keys_of(spool.ahead(count=9, max_bytes=2500)) == ["one", "two"]
    assert keys_of(spool.ahead(after=spool.ahead()[0].seq, count=9, max_bytes=9000)) == ["two", "three"]
    spool.forget(spool.waiting()[:2])
    assert keys_of(spool.ahead(count=9, max_bytes=9000)) == ["three"]
    add(spool, "one")
    assert keys_of(spool.waiting()) == ["three", "one"]


def test_spool_fails_loudly_when_it_is_full(tmp_path: Path) -> None:
    """What does not fit is an error that says what to do, never a silent drop; what was taken before stays."""
    with Spool(tmp_path, max_bytes=_MIB) as small:
        add(small, "k0", "k1", "k2", body="x" * (_MIB // 4))
        with pytest.raises(SpoolFull, match="ARTIFACT_SPOOL_MAX_BYTES"):
            add(small, "k3", body="x" * _MIB)
        assert keys_of(small.waiting()) == ["k0", "k1", "k2"]
        small.bury(small.ahead()[0], "refused")
        assert keys_of(small.dead()) == ["k0"]


def test_spool_fails_loudly_when_the_disk_is_full(tmp_path: Path) -> None:
    """No file of this process may grow, as on a full disk: an error, what was taken before stays, and it goes on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Spool(tmp_path, max_bytes=64 * _MIB) as spool:
            add(spool, "taken")
            resource.setrlimit(resource.RLIMIT_FSIZE, (_MIB // 2, before[1]))
            with pytest.raises(SpoolFull, match="free disk space"):
                add(spool, "too large", body="x" * _MIB)
            with pytest.raises(SpoolFull):
                spool.bury(SpooledArtifact(0, "dead", "run", "n", "x" * _MIB, ""), "refused")
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            add(spool, "afterwards")
            assert keys_of(spool.waiting()) == ["taken", "afterwards"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_spool_that_is_damaged_says_so(tmp_path: Path) -> None:
    """A file that is no database: neither reading nor writing pretends that it is empty."""
    with Spool(tmp_path, max_bytes=_MIB) as spool:
        spool.path.write_bytes(b"not a database" * 1000)
        with pytest.raises(SpoolBroken, match="not a database"):
            spool.waiting()
        with pytest.raises(SpoolFull, match="not a database"):
            add(spool, "one")


def test_spool_in_a_place_where_nothing_can_be_says_so(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(SpoolBroken, match="file"):
        Spool(tmp_path / "file", max_bytes=_MIB)


def test_spool_moves_what_is_damaged_as_it_is(spool: Spool) -> None:
    """A text that is no UTF-8 blocks nothing, and lies in the dead letters byte by byte."""
    add(spool, "damaged", "whole")
    spool._file.execute("UPDATE waiting SET body = CAST(x'7b22ff7d' AS TEXT) WHERE idempotency_key = 'damaged'")
    (damaged,) = spool.ahead()
    assert damaged.body == '{"\udcff}'
    spool.bury(damaged, "it cannot be decoded")
    assert keys_of(spool.waiting()) == ["whole"]
    assert spool._file.execute("SELECT CAST(body AS BLOB) FROM dead_letters").fetchall() == [(b'{"\xff}',)]
    assert [letter.reason for letter in spool.dead()] == ["it cannot be decoded"]


def test_spools_of_other_hosts_are_left_alone(tmp_path: Path) -> None:
    """Each host has a file; that of a host that is gone is opened by its name, and by nothing else."""
    with Spool(tmp_path, max_bytes=_MIB, host="gone") as gone, Spool(tmp_path, max_bytes=_MIB) as own:
        add(gone, "theirs")
        add(own, "ours")
        assert (keys_of(gone.waiting()), keys_of(own.waiting())) == (["theirs"], ["ours"])
    assert other_hosts(tmp_path) == ["gone"]


def test_only_one_process_replays_at_a_time(tmp_path: Path) -> None:
    """The right to replay is held by one, and free again when it is done."""
    with Spool(tmp_path, max_bytes=_MIB) as first, Spool(tmp_path, max_bytes=_MIB) as second:
        with first.replaying() as ours, second.replaying() as theirs:
            assert (ours, theirs) == (True, False)
        with second.replaying() as theirs:
            assert theirs


def test_spool_opened_by_many_processes_at_once_loses_nothing(tmp_path: Path) -> None:
    """Processes that make the same new file at the same moment all get to write."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN_TOGETHER, str(tmp_path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(_PROCESSES)
    ]
    for _ in range(40):
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b".")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.read(1) == b".", "a process failed to write"
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    for folder in tmp_path.iterdir():
        with Spool(folder, max_bytes=_MIB) as spool:
            assert sorted(keys_of(spool.waiting())) == [str(number) for number in range(_PROCESSES)]


def test_spool_loses_nothing_of_two_killed_writers(tmp_path: Path) -> None:
    """What two processes were told is spooled is there after both are killed in the middle of their work."""
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    processes = []
    try:
        for log in logs:
            with log.open("wb") as output:
                arguments = [sys.executable, "-c", _FILL, str(tmp_path / "spool"), log.name]
                processes.append(subprocess.Popen(arguments, stdout=output))
        wait_until(lambda: all(len(log.read_text().split()) > 10 for log in logs), "both write", deadline_s=30.0)
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait(5)
    with Spool(tmp_path / "spool", max_bytes=64 * _MIB) as spool:
        kept = keys_of(spool.waiting())
    told = {f"{log.name}-{number}" for log in logs for number in log.read_text().split("\n")[:-1]}
    assert told <= set(kept)
    assert len(told) <= len(kept) == len(set(kept)) <= len(told) + 2


def test_spool_of_the_version_before_is_read(tmp_path: Path) -> None:
    """A file that an earlier version of this program has written is no reason to lose what is in it."""
    file = sqlite3.connect(spool_file(tmp_path))
    file.execute(
        "CREATE TABLE waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, idempotency_key TEXT NOT NULL UNIQUE,"
        " execution_id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, cause TEXT NOT NULL,"
        " spooled_at TEXT NOT NULL DEFAULT 'then')"
    )
    file.execute("INSERT INTO waiting VALUES (7, 'old', 'run', 'n', '{}', 'refused', 'then')")
    file.commit()
    file.close()
    with Spool(tmp_path, max_bytes=_MIB) as spool:
        assert spool.waiting() == [SpooledArtifact(7, "old", "run", "n", "{}", "refused", "then")]
