"""Files are written past the system's cache, byte for byte the same."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from kerascb.checkpoint.commit import Kind, commit
from kerascb.checkpoint.files import direct
from kerascb.checkpoint.files.direct import DirectFileSystem
from kerascb.checkpoint.files.local import LocalFileSystem

TIMEOUT_S = 30
SIZES = [0, 1, 4095, 4096, 4097, 3 * 4096 + 5]
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux has it")


@pytest.fixture
def small_buffer(monkeypatch):
    """A buffer of three blocks, so that small files need it several times."""
    monkeypatch.setattr(direct, "_BUFFER_BYTES", 3 * 4096)


@pytest.fixture
def flags(monkeypatch):
    """The flags that open files are given."""
    import fcntl

    given = []
    call = fcntl.fcntl

    def note(handle, what, *argument):
        if what == fcntl.F_SETFL:
            given.append(argument[0])
        return call(handle, what, *argument)

    monkeypatch.setattr("fcntl.fcntl", note)
    return given


def _write(files, path, pieces):
    handle = files.create(str(path))
    try:
        for piece in files.pieces(handle, pieces):
            files.write(handle, piece)
            files.begin(handle, 0, 0)
        files.finish(handle)
    finally:
        files.close(handle)


@pytest.mark.usefixtures("small_buffer")
@pytest.mark.parametrize("sizes", [*([size] for size in SIZES), SIZES])
def test_the_content_is_that_of_the_pieces(tmp_path, sizes):
    """Whole blocks or not, and however they are cut."""
    generator = np.random.default_rng(0)
    pieces = [memoryview(generator.bytes(size)) for size in sizes]

    _write(DirectFileSystem(), tmp_path / "file", pieces)

    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


@linux
@pytest.mark.usefixtures("small_buffer")
def test_a_large_file_passes_the_cache_by(tmp_path, flags):
    """Where the file system of the tests knows that."""
    _write(DirectFileSystem(), tmp_path / "file", [b"x" * 100_000])

    assert [bool(each & os.O_DIRECT) for each in flags] == [True, False]


@linux
@pytest.mark.usefixtures("small_buffer")
def test_a_small_file_does_not(tmp_path, flags):
    """It would only take longer."""
    _write(DirectFileSystem(), tmp_path / "file", [b"content"])

    assert flags == []


@linux
@pytest.mark.usefixtures("small_buffer")
def test_a_file_system_that_does_not_know_it(tmp_path, monkeypatch):
    """The file is written as usual."""

    def refuse(handle, what, *argument):
        raise OSError(errno.EINVAL, "no direct writing here")

    monkeypatch.setattr("fcntl.fcntl", refuse)

    _write(DirectFileSystem(), tmp_path / "file", [b"x" * 100_000])

    assert (tmp_path / "file").read_bytes() == b"x" * 100_000


@linux
@pytest.mark.usefixtures("small_buffer")
@pytest.mark.parametrize("taken", [0, 4096])
def test_pain_a_file_system_that_refuses_what_it_has_agreed_to(
    tmp_path, monkeypatch, flags, taken
):
    """Direct writing is given up at the first refusal; no byte is lost."""
    write, given = os.write, []
    content = np.random.default_rng(0).bytes(100_000)

    def refuse(handle, piece):
        if flags[-1] & os.O_DIRECT:
            if given or not taken:
                raise OSError(errno.EINVAL, "not like this")
            given.append(taken)
            piece = piece[:taken]
        return write(handle, piece)

    monkeypatch.setattr("os.write", refuse)

    _write(DirectFileSystem(), tmp_path / "file", [content])

    assert (tmp_path / "file").read_bytes() == content


def test_a_second_file_at_a_time_is_written_as_usual(tmp_path):
    """There is one buffer."""
    files = DirectFileSystem()
    first = files.create(str(tmp_path / "first"))
    files.write(first, b"one")

    _write(files, tmp_path / "second", [b"two"])
    files.finish(first)
    files.close(first)

    assert (tmp_path / "first").read_bytes() == b"one"
    assert (tmp_path / "second").read_bytes() == b"two"


@pytest.mark.usefixtures("small_buffer")
def test_a_failed_file_leaves_nothing_to_the_next(tmp_path, monkeypatch):
    """What was in the buffer belongs to the file that failed."""
    files = DirectFileSystem()
    handle = files.create(str(tmp_path / "failed"))
    files.write(handle, b"left over")
    files.close(handle)

    _write(files, tmp_path / "next", [b"content"])

    assert (tmp_path / "next").read_bytes() == b"content"


@linux
@pytest.mark.usefixtures("small_buffer")
@pytest.mark.parametrize("failing", [1, 2, 5])
def test_an_error_of_the_disk_is_raised(tmp_path, monkeypatch, failing):
    """While the next piece is prepared, or at the end."""
    write, calls = os.write, []

    def fail(handle, content):
        calls.append(handle)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, "full")
        return write(handle, content)

    monkeypatch.setattr("os.write", fail)

    with pytest.raises(OSError, match="full"):
        _write(DirectFileSystem(), tmp_path / "file", [b"x" * 50_000])


def test_pain_a_stuck_disk_does_not_keep_a_process():
    """The thread that writes waits for its helper; the interpreter need not."""
    script = (
        "import threading\n"
        "from kerascb.checkpoint.files.direct import _Helper\n"
        "_Helper().do(lambda: threading.Event().wait())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], timeout=TIMEOUT_S, check=False
    )

    assert done.returncode == 0


def test_what_is_there_is_not_opened(tmp_path):
    """As in `LocalFileSystem`, a file is always new."""
    (tmp_path / "file").touch()

    with pytest.raises(FileExistsError):
        DirectFileSystem().create(str(tmp_path / "file"))


@pytest.mark.usefixtures("small_buffer")
@pytest.mark.parametrize("kind", [DirectFileSystem, LocalFileSystem])
def test_checksums_are_the_same(tmp_path, kind):
    """A commit through it is a commit as usual."""

    def fill(staging):
        staging.write("", [b"x" * 5000, b"y" * 70_000])

    [written] = commit(
        kind(), str(tmp_path / "file"), Kind.FILE, fill, verify=True
    )

    assert (written.size, (tmp_path / "file").stat().st_size) == (75_000,) * 2
