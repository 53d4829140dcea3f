"""The history: append-only, in the file before anything else happens, and without secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReportNotWritten
from harness.history.events import FaultOff, PhaseBegan, Trouble
from harness.history.history import HistoryWriter, read_history
from harness.report.redaction import Redaction


def test_history_is_in_the_file_at_once(tmp_path: Path) -> None:
    """A line can be read by another process as soon as it was added."""
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path) as history:
        history.add(PhaseBegan(phase="reset"))
        assert '"phase":"reset"' in path.read_text()


def test_history_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """What is read from the file is what was added."""
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path) as history:
        history.add(PhaseBegan(phase="reset"))
        history.add(FaultOff(fault="fault-1", target="a -> b:1"))
        written = history.so_far()
    assert read_history(path) == written
    assert [entry.seq for entry in written.entries] == [1, 2]


def test_history_never_overwrites_another(tmp_path: Path) -> None:
    """A file that is there already belongs to another drill."""
    (tmp_path / "history.jsonl").write_text("old")
    with pytest.raises(ReportNotWritten):
        HistoryWriter(tmp_path / "history.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to fill up")
def test_history_on_a_full_disk_is_told(tmp_path: Path) -> None:
    """A line that cannot be written ends the drill with a clear error, it is not dropped."""
    history = HistoryWriter(tmp_path / "history.jsonl")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, history._file.fileno())
    os.close(full)
    with pytest.raises(ReportNotWritten, match="No space left on device"):
        history.add(Trouble(what="x"))
    with pytest.raises(ReportNotWritten), history:
        pass


@given(st.text(max_size=60), st.text(alphabet="abcdefghij0123456789-_", min_size=8, max_size=30), st.text(max_size=60))
def test_redaction_leaves_no_secret(before: str, secret: str, after: str) -> None:
    """Wherever a secret stands in a text, it is gone."""
    assert secret not in Redaction((secret,))(f"{before} {secret} {after}").replace(before, "").replace(after, "")


def test_redaction_takes_passwords_out_of_addresses() -> None:
    """The password of an address is a secret although it was not declared as one."""
    assert Redaction(())("dsn=postgresql://u:geheim@h/d") == "dsn=postgresql://u:***@h/d"
