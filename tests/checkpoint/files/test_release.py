"""Large files go without anybody waiting for it."""

import os
import threading

import pytest

from kerascb.checkpoint.files import release
from kerascb.checkpoint.files.release import released_later

TIMEOUT_S = 30


@pytest.fixture
def closed(monkeypatch):
    """The files that are closed elsewhere, and that are taken for large."""
    monkeypatch.setattr(release, "_LARGE_BYTES", 4)
    closed = []
    close = os.close

    def note(handle):
        closed.append((os.fstat(handle).st_nlink, threading.current_thread()))
        close(handle)

    monkeypatch.setattr("os.close", note)
    return closed


def _wait_for_threads():
    for thread in threading.enumerate():
        if thread.name == "kerascb frees space":
            thread.join(TIMEOUT_S)


@pytest.mark.skipif(os.name == "nt", reason="open files cannot go there")
def test_a_large_file_is_freed_in_another_thread(tmp_path, closed):
    """Its last name is gone before, and the caller has gone on."""
    path = tmp_path / "large"
    path.write_bytes(b"12345")

    with released_later(str(path)):
        path.unlink()
    _wait_for_threads()

    [(names, thread)] = closed
    assert names == 0
    assert thread is not threading.main_thread()


def test_pain_a_folder_on_a_network_drive(tmp_path, closed):
    """NFS would keep a name for an open file, and with it the folder."""
    (tmp_path / "large").write_bytes(b"12345")

    with released_later(str(tmp_path)):
        pass
    _wait_for_threads()

    assert closed == []


@pytest.mark.parametrize("content", [None, b"123"])
def test_nothing_and_small_files_need_no_thread(tmp_path, closed, content):
    """The system frees them at once."""
    path = tmp_path / "small"
    if content is not None:
        path.write_bytes(content)

    with released_later(str(path)):
        pass

    assert closed == []


def test_an_error_leaves_no_file_open(tmp_path, closed):
    """What could not be replaced is let go of."""
    path = tmp_path / "large"
    path.write_bytes(b"12345")

    with pytest.raises(OSError, match="no"), released_later(str(path)):
        raise OSError("no")
    _wait_for_threads()

    assert len(closed) == 1
