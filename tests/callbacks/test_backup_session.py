"""How a fit that is backed up ends: well, badly, or before its time."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kerascb import BackupAndRestore, Callback, TerminateOnNaN
from kerascb.callbacks import _backed_run
from kerascb.checkpoint.backups import BackupFolder
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.errors import BackupInUse, Preempted
from kerascb.runtime import Position
from kerascb.testing import drive

NAN = float("nan")
ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60

_LOCKS = """
import sys
from kerascb.checkpoint.backups.lock import RunLock
RunLock(sys.argv[1], "backup", print).acquire()
"""
_IS_STUCK = """
import signal, threading
from kerascb import BackupAndRestore, Callback
from kerascb.checkpoint.backups import folder
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.testing import drive

class Stuck(LocalFileSystem):
    is_stuck = False
    def create(self, path):
        handle = super().create(path)
        if self.is_stuck:
            threading.Event().wait()
        return handle

class Notice(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            backup.wait()
            files.is_stuck = True
            signal.raise_signal(signal.SIGTERM)

files = Stuck()
folder.filesystem_of = lambda path: files
backup = BackupAndRestore(
    "backup", save_before_preemption=True, preemption_budget_s=0.05
)
drive([backup, Notice()], epochs=[{"loss": 1.0}] * 3)
"""


class Does(Callback):
    """Does something at one event of one epoch.

    Args:
        hook: The event.
        action: What to do.
        epoch: Of that epoch; the first by default.
    """

    def __init__(self, hook, action, epoch=0):
        super().__init__()
        self._hook, self._action, self._at = hook, action, epoch
        self._epoch = 0

    def on_train_begin(self, logs=None):
        """Does it, perhaps."""
        self._perhaps("on_train_begin")

    def on_epoch_begin(self, epoch, logs=None):
        """Does it, perhaps."""
        self._epoch = epoch
        self._perhaps("on_epoch_begin")

    def on_train_end(self, logs=None):
        """Does it, perhaps."""
        self._perhaps("on_train_end")

    def _perhaps(self, hook):
        if (hook, self._epoch) == (self._hook, self._at):
            self._action()


class Remembers(Callback):
    """Cannot be put back to what it was."""

    def get_state(self):
        """Something."""
        return {"seen": 3}

    def set_state(self, state):
        """Raises."""
        raise RuntimeError("killed")


class Disk(LocalFileSystem):
    """A disk that does `trouble` before a file is made."""

    def __init__(self):
        self.trouble = lambda: None

    def create(self, path):
        self.trouble()
        return super().create(path)


class Gate:
    """Lets nobody pass until it is opened."""

    def __init__(self):
        self._is_open = threading.Event()

    def __call__(self):
        assert self._is_open.wait(TIMEOUT_S)

    def open(self):
        self._is_open.set()


@pytest.fixture
def fit(make_model, data):
    """Fits a new model for two epochs."""

    def fit(*callbacks):
        return make_model().fit(
            *data, epochs=2, verbose=0, callbacks=list(callbacks)
        )

    return fit


@pytest.fixture
def disk(monkeypatch):
    """The disk that backups go to; it is tried again at once."""
    disk = Disk()
    monkeypatch.setattr(
        "kerascb.checkpoint.backups.folder.filesystem_of", lambda path: disk
    )
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    return disk


@pytest.fixture
def gate():
    """A gate that is open when the test ends."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def handled():
    """Calls of a handler of SIGTERM that the user has set."""
    calls, before = [], signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, before)


def fail():
    raise RuntimeError("killed")


def preempt():
    signal.raise_signal(signal.SIGTERM)


def trouble(code):
    """What raises an error of the system."""

    def act():
        raise OSError(code, os.strerror(code))

    return act


def run(backup, *callbacks, epochs=(1.0, 1.0, 1.0)):
    """Drives a backup, written before the next epoch begins, and others."""
    return drive(
        [
            backup,
            *(Does("on_epoch_begin", backup.wait, at) for at in (1, 2)),
            *callbacks,
        ],
        epochs=[{"loss": loss} for loss in epochs],
    )


def newest():
    """The epoch at which the newest backup goes on; fails if it is damaged."""
    return BackupFolder("backup", pytest.fail).read().position.epoch


def preemptible(**how):
    return BackupAndRestore("backup", save_before_preemption=True, **how)


# -- as training begins ------------------------------------------------------


@pytest.fixture(params=["on_train_begin", "set_state"])
def failed(request, fit):
    """A fit that failed as another callback began; its error is kept."""
    callbacks = [Remembers()]
    if request.param == "on_train_begin":
        callbacks.append(Does("on_train_begin", fail))
    else:
        with pytest.raises(RuntimeError, match="killed"):
            fit(
                BackupAndRestore("backup"),
                Remembers(),
                Does("on_epoch_begin", fail, epoch=1),
            )
    with pytest.raises(RuntimeError, match="killed") as error:
        fit(BackupAndRestore("backup"), *callbacks)
    return error


@pytest.mark.fit
@pytest.mark.usefixtures("failed", "warned")
def test_pain_a_callback_behind_fails_as_training_begins(fit):
    """The folder is free: the next fit of the process begins at once."""
    record = fit(BackupAndRestore("backup"))

    assert record.epoch[-1] == 1


@pytest.mark.fit
@pytest.mark.usefixtures("failed")
def test_pain_another_process_after_a_callback_behind_failed():
    """The folder is free for it, too, though the error is still looked at."""
    subprocess.run(
        [sys.executable, "-c", _LOCKS, "backup"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=TIMEOUT_S,
    )


@pytest.mark.fit
@pytest.mark.parametrize("place", [0, 1])
def test_sigterm_before_the_first_epoch_is_the_users(fit, handled, place):
    """There is nothing to lose yet: it does what it does without us."""
    callbacks = [preemptible()]
    callbacks.insert(place, Does("on_train_begin", preempt))
    record = fit(*callbacks)

    assert handled == [signal.SIGTERM]
    assert record.epoch == [0, 1]


@pytest.mark.fit
@pytest.mark.parametrize(
    ("hook", "action", "error"),
    [
        ("on_epoch_begin", lambda: None, None),
        ("on_train_begin", fail, RuntimeError),
        ("on_epoch_begin", fail, RuntimeError),
        ("on_epoch_begin", preempt, Preempted),
    ],
    ids=["well", "as it begins", "badly", "preempted"],
)
def test_the_users_handler_is_back_however_a_fit_ends(
    fit, handled, hook, action, error
):
    """The very same that was there before."""
    before = signal.getsignal(signal.SIGTERM)
    during = []
    callbacks = [
        preemptible(),
        Does(hook, action, epoch=int(hook == "on_epoch_begin")),
        Does(
            "on_epoch_begin",
            lambda: during.append(signal.getsignal(signal.SIGTERM)),
            epoch=1,
        ),
    ]
    if error is None:
        fit(*callbacks)
        assert during[0] is not before
    else:
        with pytest.raises(error):
            fit(*callbacks)

    assert signal.getsignal(signal.SIGTERM) is before


# -- before its time ---------------------------------------------------------


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_pain_a_preemption_that_the_disk_does_not_take(disk, code):
    """It is raised all the same, and says that nothing was saved, and why."""

    def go():
        disk.trouble = trouble(code)
        preempt()

    with pytest.raises(Preempted) as caught:
        run(preemptible(), Does("on_epoch_begin", go, epoch=1))

    assert not caught.value.is_saved
    assert "Its state could not be backed up (" in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert newest() == 1


@pytest.mark.usefixtures("handled")
def test_pain_a_preemption_after_a_backup_that_failed(disk, warned):
    """What has failed in the background is told, and it is tried once more."""
    disk.trouble = trouble(errno.ENOSPC)
    backup = preemptible()

    def go():
        backup._session._run.has_written(TIMEOUT_S)
        disk.trouble = lambda: None
        preempt()

    with pytest.raises(Preempted) as caught:
        drive(
            [backup, Does("on_epoch_begin", go, epoch=1)],
            epochs=[{"loss": 1.0}] * 2,
        )

    assert caught.value.is_saved
    assert newest() == 1
    [told] = warned
    assert "a backup has failed" in told
    assert "backed up anew" in told


@pytest.mark.usefixtures("handled")
def test_pain_a_preemption_after_a_backup_that_failed_fails_too(disk, warned):
    """A disk that stays full does not keep anybody waiting."""
    disk.trouble = trouble(errno.ENOSPC)
    backup = preemptible()

    def go():
        backup._session._run.has_written(TIMEOUT_S)
        preempt()

    with pytest.raises(Preempted, match="No space left") as caught:
        drive(
            [backup, Does("on_epoch_begin", go, epoch=1)],
            epochs=[{"loss": 1.0}] * 2,
        )

    assert not caught.value.is_saved
    assert not BackupFolder("backup").exists()


@pytest.mark.usefixtures("handled")
def test_pain_nan_and_a_preemption_in_one_epoch():
    """What is broken replaces nothing, and the text says that it is broken."""
    with pytest.raises(Preempted) as caught:
        run(
            preemptible(),
            TerminateOnNaN(),
            Does("on_epoch_begin", preempt, epoch=1),
            epochs=(1.0, NAN),
        )

    assert not caught.value.is_saved
    assert "(its loss is NaN or infinite)" in str(caught.value)
    assert newest() == 1


@pytest.mark.usefixtures("handled")
def test_pain_a_preemption_after_the_last_epoch():
    """It is not swallowed; a new start has no epoch left to train."""
    with pytest.raises(Preempted) as caught:
        run(preemptible(), Does("on_train_end", preempt, epoch=2))

    assert caught.value.is_saved
    assert newest() == 3


# -- when the disk is stuck --------------------------------------------------


@pytest.fixture(params=["the one under way", "the last one", "in the way"])
def stuck(request, disk, gate, handled, monkeypatch):
    """A fit that was preempted while a backup is stuck after the first."""
    monkeypatch.setattr(
        _backed_run.runtime, "is_over", lambda model: lambda: True
    )
    how = request.param
    backup = preemptible(
        preemption_budget_s=0.05, background=how != "in the way"
    )

    def get_stuck():
        if how == "in the way":  # training waits for the disk already
            preempt()
        gate()

    def go():
        backup.wait()
        disk.trouble = get_stuck

    preempted_at = {"the one under way": 2, "the last one": 1, "in the way": 9}
    with pytest.raises(Preempted) as caught:
        drive(
            [
                backup,
                Does("on_epoch_begin", go, epoch=1),
                Does("on_epoch_begin", preempt, epoch=preempted_at[how]),
            ],
            epochs=[{"loss": 1.0}] * 4,
        )
    return backup, caught.value


def test_pain_a_preemption_does_not_wait_longer_than_it_may(stuck):
    """Whichever backup it is; the one before is whole."""
    _, error = stuck

    assert not error.is_saved
    assert "(that was not done after 0.05 s)" in str(error)
    assert newest() == 1


def test_a_process_that_lives_on_completes_a_backup_that_was_stuck(stuck, gate):
    """As long as nobody kills it there is hope; nothing is damaged by that."""
    backup, _ = stuck
    gate.open()
    backup.wait()

    state = BackupFolder("backup", pytest.fail).read()
    assert state.position in {Position(1, 1), Position(2)}


def test_pain_a_next_fit_beside_a_backup_that_is_stuck(
    stuck, gate, monkeypatch
):
    """It does not begin before that is written, which would replace newer."""
    backup, _ = stuck
    with monkeypatch.context() as patch:
        patch.setattr(_backed_run, "_LONGEST_WRITE_S", 0.01)
        with pytest.raises(BackupInUse):
            BackupFolder("backup").acquire()
    gate.open()

    next_one = BackupFolder("backup")
    next_one.acquire()

    assert not backup._session._run.is_writing
    next_one.release()


def test_pain_a_stuck_disk_does_not_keep_a_preempted_process(tmp_path):
    """It ends with its status, and what was there is whole."""
    done = subprocess.run(
        [sys.executable, "-c", _IS_STUCK],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert done.returncode == 143, done.stderr
    assert "not done after 0.05 s" in done.stderr
    assert newest() == 1


# -- when training has ended -------------------------------------------------


@pytest.mark.parametrize(
    ("is_deleted", "told"),
    [(True, "nothing is lost"), (False, "The one before it stays")],
)
def test_pain_the_last_backup_fails(disk, warned, is_deleted, told):
    """Training has ended well all the same: there is a warning, no error."""
    backup = BackupAndRestore("backup", delete_checkpoint=is_deleted)
    full = Does(
        "on_epoch_begin",
        lambda: setattr(disk, "trouble", trouble(errno.ENOSPC)),
        epoch=2,
    )
    run(backup, full)

    [warning] = warned
    assert "a backup has failed: " in warning
    assert "No space left" in warning
    assert told in warning
    assert BackupFolder("backup").exists() is not is_deleted


def test_backups_that_cannot_be_removed(disk, warned, monkeypatch):
    """The user hears that the next fit would go on from them."""
    monkeypatch.setattr(Disk, "remove", lambda self, path: fail_to_remove())
    run(BackupAndRestore("backup"))

    [warning] = warned
    assert "cannot be removed" in warning
    assert "Remove 'backup', or the next fit goes on from them" in warning
    assert newest() == 3


def fail_to_remove():
    raise PermissionError(errno.EACCES, "Permission denied")


def test_nan_in_the_first_epoch(warned):
    """No backup is spoken of where there is none."""
    run(BackupAndRestore("backup"), TerminateOnNaN(), epochs=(NAN,))

    assert not [text for text in warned if "stays in" in text]
