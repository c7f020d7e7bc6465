"""One run at a time in a folder of backups."""

import errno
import gc
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kerascb.checkpoint.backups import BackupFolder, lock
from kerascb.errors import BackupInUse

_HOLDS = """
import os, sys
from kerascb.checkpoint.backups.lock import RunLock
holder = RunLock(sys.argv[1], "shown", print)
holder.acquire()
{more}
print("held", flush=True)
sys.stdin.read()
"""
_FORKS = """
reading, writing = os.pipe()
worker = os.fork()
if not worker:
    # What is to be done in a child of a fork has been done by now.
    os.write(writing, b"here")
    sys.stdin.read()  # as a worker that waits for its next batch
    os._exit(0)
os.read(reading, 4)
print(worker, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    """A folder that is there."""
    return str(tmp_path)


@pytest.fixture
def elsewhere(path):
    """Starts processes that hold the lock, and ends them."""
    running = []

    def start(more=""):
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDS.format(more=more), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        running.append(process)
        said = []
        while not said or said[-1] not in {"held", ""}:
            said.append(process.stdout.readline().strip())
        assert said[-1] == "held"
        return process, said[:-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _lock(path, warn=print):
    return lock.RunLock(path, "backup", warn)


def test_pain_a_second_run(path, elsewhere):
    """It is told who has the folder, since when, and what to do."""
    process, _ = elsewhere()

    with pytest.raises(BackupInUse) as error:
        BackupFolder(path).acquire()
    told = str(error.value)
    assert f"process {process.pid} on {socket.gethostname()}" in told
    assert "has been using it since 20" in told
    assert "python" in told
    assert repr(path) in told
    assert "Pass another backup_dir, or end the other run." in told
    assert error.value.holder["pid"] == process.pid


def test_a_third_run(path, elsewhere):
    """The second has not effaced who holds the lock."""
    process, _ = elsewhere()
    for _ in range(2):
        with pytest.raises(BackupInUse) as error:
            _lock(path).acquire()
        assert error.value.holder["pid"] == process.pid


def test_pain_a_killed_holder(path, elsewhere):
    """Its lock is taken over at once."""
    process, _ = elsewhere()
    process.send_signal(signal.SIGKILL)
    process.wait()

    mine = _lock(path)
    mine.acquire()

    assert mine.is_held
    signed = json.loads(Path(path, lock.LOCK_NAME).read_text(encoding="utf-8"))
    assert signed["pid"] == os.getpid()
    mine.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_pain_workers_that_outlive_a_killed_holder(path, elsewhere):
    """They were forked to load data, and hold nothing."""
    process, [worker] = elsewhere(_FORKS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        os.kill(int(worker), 0)  # it lives
        mine = _lock(path)
        mine.acquire()
    finally:
        os.kill(int(worker), signal.SIGKILL)

    mine.release()


def test_releasing(path):
    """Others can have it, and no file is left."""
    mine = _lock(path)
    mine.acquire()
    mine.acquire()
    mine.release()
    mine.release()

    assert os.listdir(path) == []
    other = _lock(path)
    other.acquire()
    other.release()


def test_from_another_thread(path):
    """The thread that writes may release what the one that trains acquired."""
    mine = _lock(path)
    mine.acquire()
    thread = threading.Thread(target=mine.release)
    thread.start()
    thread.join()

    assert not mine.is_held


@pytest.mark.parametrize("is_over", [None, lambda: False])
def test_two_fits_of_one_process(path, is_over):
    """As long as one goes on, the other is refused."""
    first = _lock(path)
    first.acquire(is_over)

    with pytest.raises(BackupInUse) as error:
        _lock(path).acquire()
    assert error.value.holder["pid"] == os.getpid()
    first.release()


def test_pain_a_fit_that_an_exception_has_ended(path):
    """The next one of the process takes its lock over."""
    first, second = _lock(path), _lock(path + "/.")
    first.acquire(lambda: True)

    second.acquire()
    first.release()

    assert second.is_held
    assert not first.is_held
    with pytest.raises(BackupInUse):
        _lock(path).acquire()
    second.release()


def test_a_holder_that_nobody_has_any_more(path):
    """Its lock goes with it."""
    _lock(path).acquire()
    gc.collect()
    mine = _lock(path)

    mine.acquire()

    mine.release()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_pain_a_file_system_without_locks(path, monkeypatch, code):
    """The run goes on, and is warned once."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(handle, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(lock, "_told", set())
    told = []
    for _ in range(2):
        mine = _lock(path, told.append)
        mine.acquire()
        assert not mine.is_held
        mine.release()

    [text] = told
    assert "knows no locks" in text
    assert os.listdir(path) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all"
)
def test_a_folder_without_permission(path):
    """The error of the system is raised."""
    Path(path).chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            _lock(path).acquire()
    finally:
        Path(path).chmod(0o700)


def test_another_error(path):
    """The error of the system is raised, not that somebody else is there."""
    Path(path, "file").touch()
    with pytest.raises(OSError, match="file"):
        _lock(path + "/file").acquire()


def test_a_lock_that_is_released_in_that_instant(path, monkeypatch):
    """It is taken, though it was refused a moment before."""
    import filelock

    real = filelock.FileLock.acquire
    refused = []

    def acquire(self, *arguments, **how):
        if not refused:
            refused.append(True)
            raise filelock.Timeout(self.lock_file)
        return real(self, *arguments, **how)

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    mine = _lock(path)
    mine.acquire()

    assert mine.is_held
    mine.release()


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"pid": 3}'])
def test_a_holder_that_has_not_signed(path, text):
    """The error says so much as is known."""
    first = _lock(path)
    first.acquire()
    Path(path, lock.LOCK_NAME).write_text(text, encoding="utf-8")

    with pytest.raises(BackupInUse, match="another run is using it"):
        _lock(path).acquire()
    first.release()


def test_a_full_disk_keeps_nobody_from_the_lock(path, monkeypatch):
    """It is held all the same."""

    def write(handle, content):
        raise OSError(errno.ENOSPC, "full")

    mine = _lock(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        mine.acquire()

    assert mine.is_held
    mine.release()


def test_the_error_can_be_pickled():
    """A pool of processes hands it on, with all it says."""
    error = BackupInUse("backup", {"host": "a", "pid": 3})

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
