"""The newest backup of a run, and the one before."""

import contextlib
import itertools
import os
import tempfile
import uuid
from pathlib import Path

import numpy as np
import pytest

from kerascb.checkpoint.backups import BackupFolder, RunState
from kerascb.checkpoint.files import staged_names
from kerascb.checkpoint.files.filesystem import LocalFileSystem, filesystem_of
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.checkpoint.snapshot import Arena
from kerascb.errors import SaveFailed, UnreadableBackup
from kerascb.runtime import FrozenArray, Position
from tests.checkpoint.commit.crashing import (
    CrashingFileSystem,
    CrashingRemote,
    Died,
    PowerCutFileSystem,
)


def _write(folder, epoch, size=10):
    value = FrozenArray(np.full(size, epoch, "float32"))
    folder.write(RunState(Position(epoch), {"w": value}), Arena())


def _read(path, **how):
    """The epoch that a new process finds, having seen that it is whole."""
    state = BackupFolder(str(path), **how).read()
    if state is None:
        return None
    epoch = state.position.epoch
    assert set(state.variables["w"].array().tolist()) == {epoch}
    return epoch


@pytest.fixture
def path(tmp_path):
    """Where the backups of a test go."""
    return str(tmp_path / "runs" / "backup")


@pytest.fixture
def warnings():
    """What the user was told."""
    return []


@pytest.fixture(params=["here", "memory", "file", "ram"])
def anywhere(request, tmp_path):
    """A folder here or far away."""
    name = uuid.uuid4().hex
    if request.param == "here":
        yield f"{tmp_path}/{name}"
        return
    if request.param == "ram":
        request.getfixturevalue("tensorflow")
    where = f"{tmp_path}/{name}" if request.param == "file" else name
    root = f"{request.param}://{where}"
    yield f"{root}/backup"
    filesystem_of(root).remove(root)


def test_no_backup(anywhere):
    """Where there is none, none is found, and nothing is made."""
    folder = BackupFolder(anywhere)

    assert not folder.exists()
    assert folder.read() is None
    assert filesystem_of(anywhere).kind(anywhere) is None


def test_the_newest_and_the_one_before(anywhere):
    """Two of them are kept."""
    folder = BackupFolder(anywhere)
    for epoch in range(1, 4):
        _write(folder, epoch)
    files = filesystem_of(anywhere)

    assert files.names(anywhere) == ["latest.npz", "previous.npz"]
    assert _read(anywhere) == 3
    files.remove(folder.latest)
    assert folder.exists()
    assert _read(anywhere) == 2


def test_numpy_opens_a_backup(path):
    """It is an ordinary `.npz`."""
    folder = BackupFolder(path)
    _write(folder, 3)

    with np.load(folder.latest) as file:
        assert file["variables/w"].tolist() == [3] * 10


def _damage(path):
    with open(path, "r+b") as file:
        file.seek(60)
        byte = file.read(1)
        file.seek(60)
        file.write(bytes([byte[0] ^ 1]))


def _cut(path):
    os.truncate(path, os.path.getsize(path) - 10)


def _empty(path):
    os.truncate(path, 0)


@pytest.mark.parametrize("spoil", [_damage, _cut, _empty])
def test_pain_the_newest_is_damaged(path, warnings, spoil):
    """The one before is taken, with one warning that says why."""
    folder = BackupFolder(path)
    _write(folder, 1)
    _write(folder, 2)
    spoil(folder.latest)

    assert _read(path, warn=warnings.append) == 1
    [told] = warnings
    assert "latest.npz" in told
    assert "of epoch 2" in told


@pytest.mark.parametrize("has_read", [True, False])
def test_pain_a_damaged_one_replaces_no_good_one(path, has_read):
    """The next backup leaves the previous one as it is."""
    folder = BackupFolder(path)
    _write(folder, 1)
    _write(folder, 2)
    _damage(folder.latest)

    later = BackupFolder(path, lambda text: None)
    if has_read:
        later.read()
    _write(later, 3)
    assert _read(path) == 3
    os.remove(folder.latest)
    assert _read(path) == 1


def test_a_good_one_that_nobody_has_read_is_kept(path):
    """Who writes without reading loses no backup either."""
    _write(BackupFolder(path), 1)
    _write(BackupFolder(path), 2)
    os.remove(BackupFolder(path).latest)

    assert _read(path) == 1


def test_pain_both_are_damaged(path, warnings):
    """One error says what is wrong with each, and what to do."""
    folder = BackupFolder(path)
    _write(folder, 1)
    _write(folder, 2)
    _damage(folder.latest)
    _cut(folder.previous)

    with pytest.raises(UnreadableBackup) as error:
        _read(path, warn=warnings.append)
    told = str(error.value)
    assert "latest.npz: its entry" in told
    assert "previous.npz: its end has changed" in told
    assert "Put back a copy of the directory, or remove it" in told
    assert warnings == []
    assert sorted(os.listdir(path)) == ["latest.npz", "previous.npz"]


def test_pain_a_backup_of_a_kerascb_to_come(path, monkeypatch):
    """It says what to install, and is not deleted."""
    folder = BackupFolder(path)
    with monkeypatch.context() as patch:
        patch.setattr("kerascb.checkpoint.backups.run_state._VERSION", 2)
        _write(folder, 1)

    with pytest.raises(UnreadableBackup, match="install a newer one"):
        folder.read()


def test_deleting(anywhere):
    """Nothing is left here, and no file far away."""
    folder = BackupFolder(anywhere)
    folder.acquire()
    _write(folder, 1)
    _write(folder, 2)

    folder.delete()

    assert not folder.exists()
    assert filesystem_of(anywhere).names(anywhere) == []
    if "://" not in anywhere:
        assert not os.path.exists(anywhere)
        assert os.path.exists(os.path.dirname(anywhere))


def test_pain_deleting_leaves_what_is_the_users(path):
    """Notes, models, and a folder that has the name of a backup."""
    folder = BackupFolder(path)
    folder.acquire()
    _write(folder, 1)
    Path(path, "notes.txt").touch()
    Path(path, "best.npz").touch()
    Path(path, "previous.npz").mkdir()
    Path(path, "previous.npz", "mine").touch()

    folder.delete()

    assert sorted(os.listdir(path)) == ["best.npz", "notes.txt", "previous.npz"]
    assert os.listdir(Path(path, "previous.npz")) == ["mine"]


def test_deleting_nothing(path):
    """It is no error if there is no folder."""
    BackupFolder(path).delete()


def test_what_killed_runs_left_unfinished(path, monkeypatch):
    """The next run removes it when it begins; what is the user's stays."""
    Path(path).mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(staged_names, "_run", lambda pid: "0" * 8)
        Path(staged_name(f"{path}/latest.npz")).touch()
    Path(path, "mine").touch()
    folder = BackupFolder(path)

    folder.acquire()

    assert sorted(os.listdir(path)) == ["kerascb.lock", "mine"]
    folder.release()
    assert os.listdir(path) == ["mine"]


def test_pain_the_current_folder_changes(path, monkeypatch, tmp_path):
    """A relative path means what it meant."""
    folder = BackupFolder("backup")
    _write(folder, 1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    _write(folder, 2)

    assert _read(tmp_path / "backup") == 2
    assert folder.latest == os.path.join("backup", "latest.npz")


@pytest.fixture
def no_wait(monkeypatch):
    """Tries again at once."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


class Busy(LocalFileSystem):
    """A drive that is busy a few times."""

    def __init__(self, times):
        self.times = times

    def create(self, path):
        if self.times:
            self.times -= 1
            raise OSError(16, "Device or resource busy", path)
        return super().create(path)


@pytest.mark.usefixtures("no_wait")
def test_pain_a_busy_drive(path, caplog):
    """It is tried again, and the log says so."""
    folder = BackupFolder(path, retries=2)
    folder._files = Busy(2)

    _write(folder, 1)

    assert _read(path) == 1
    assert "Device or resource busy" in caplog.text


@pytest.mark.usefixtures("no_wait")
def test_a_drive_that_stays_busy(path):
    """The error is raised; the backup that was there still is."""
    folder = BackupFolder(path, retries=1)
    _write(folder, 1)
    folder._files = Busy(2)

    with pytest.raises(OSError, match="busy"):
        _write(folder, 2)
    assert _read(path) == 1


@pytest.mark.usefixtures("no_wait")
def test_pain_a_full_disk(path):
    """It is named, with the path as the user knows it."""
    folder = BackupFolder(path, retries=0)
    _write(folder, 1)
    folder._files = CrashingFileSystem(8, code=28)

    with pytest.raises(SaveFailed, match="bytes are free") as error:
        _write(folder, 2)
    assert error.value.filename == folder.latest
    assert _read(path) == 1


def test_large_values_go_past_the_cache(path):
    """A file of several buffers is what it is, too."""
    folder = BackupFolder(path)
    _write(folder, 3, size=5 << 20)

    assert _read(path) == 3
    folder.release()
    assert folder._direct is None


def test_a_state_that_cannot_be_stored(path):
    """The callback that has it is named, and nothing is written."""
    folder = BackupFolder(path)
    state = RunState(Position(1), {}, callbacks={"Mine[0]": {"seen": {1}}})

    with pytest.raises(TypeError, match=r"\['Mine\[0\]'\]\['seen'\]"):
        folder.write(state, Arena())
    assert not os.path.exists(path)


@pytest.fixture
def root():
    """A folder in memory, where there is one: it is synced all the time."""
    memory = "/dev/shm"  # noqa: S108 - a folder of its own is made there
    where = memory if os.path.isdir(memory) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        yield Path(folder)


def _folders(root, before):
    """Folders that have had so many backups, one after the other."""
    for number in itertools.count(1):
        folder = BackupFolder(str(root / str(number)), retries=0)
        for epoch in range(1, before + 1):
            _write(folder, epoch)
        yield number, folder


@pytest.mark.parametrize("before", [1, 2, 3])
@pytest.mark.parametrize(
    "how", ["fail", "interrupt", "die before", "die after"]
)
def test_pain_every_call_of_a_write_is_the_last(root, before, how, next_start):
    """The newest or the one before is there; the next start tidies up."""
    found = set()
    for number, folder in _folders(root, before):
        files = folder._files = CrashingFileSystem(number, how)
        with contextlib.suppress(OSError, KeyboardInterrupt, Died):
            _write(folder, before + 1)
        files.close_all()
        found.add(_read(folder.path))
        has_crashed = files.has_crashed
        next_start(folder.path)
        assert set(os.listdir(folder.path)) <= {"latest.npz", "previous.npz"}
        _write(BackupFolder(folder.path), 9)
        assert _read(folder.path) == 9
        os.remove(folder.latest)
        assert _read(folder.path) in {before, before + 1}
        if not has_crashed:
            break

    assert found == {before, before + 1}


@pytest.mark.parametrize("lost", ["none", "all", "all but last"])
@pytest.mark.parametrize("before", [1, 2])
def test_pain_the_power_goes_at_every_call(root, before, lost):
    """Whatever of the names the disk has forgotten."""
    found = set()
    for number, folder in _folders(root, before):
        files = PowerCutFileSystem(number, root / f"trash-{number}")
        folder._files = files
        with contextlib.suppress(Died):
            _write(folder, before + 1)
        files.close_all()
        files.cut(folder.path, lost)
        found.add(_read(folder.path))
        if not files.has_crashed:
            break

    assert found == {before, before + 1}


@pytest.mark.parametrize("how", ["fail", "die before", "die after"])
def test_pain_every_call_of_a_write_far_away_is_the_last(how):
    """A whole backup is there, the newest or the one before."""
    found = set()
    root = f"memory://{uuid.uuid4().hex}"
    for number in itertools.count(1):
        path = f"{root}/{number}"
        folder = BackupFolder(path, retries=0)
        _write(folder, 1)
        _write(folder, 2)
        files = folder._files = CrashingRemote(path, number, how)
        with contextlib.suppress(OSError, Died):
            _write(folder, 3)
        found.add(_read(path))
        if not files.has_crashed:
            break
    filesystem_of(root).remove(root)

    assert found == {2, 3}


@pytest.mark.parametrize("how", ["fail", "die before", "die after"])
def test_pain_every_call_of_a_deletion_is_the_last(root, how):
    """The newest backup is there, or none: never only an old one."""
    found = set()
    for number, folder in _folders(root, 2):
        files = folder._files = CrashingFileSystem(number, how)
        with contextlib.suppress(OSError, Died):
            folder.delete()
        found.add(_read(folder.path))
        if not files.has_crashed:
            break

    assert found == {2, None}


@pytest.fixture
def next_start(monkeypatch):
    """Cleans up as the next process would."""

    def clean(path):
        with monkeypatch.context() as patch:
            patch.setattr(staged_names, "_run", lambda pid: "0" * 8)
            folder = BackupFolder(path)
            folder.acquire()
            folder.release()

    return clean
