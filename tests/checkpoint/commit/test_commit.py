"""What becomes visible, and where, and with whose permissions."""

import contextlib
import errno
import os
import pickle
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from kerascb.checkpoint.commit import (
    Kind,
    Written,
    clean_leftovers,
    commit,
    is_staged,
    local_place,
)
from kerascb.checkpoint.files import staged_names
from kerascb.checkpoint.files.filesystem import LocalFileSystem
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.errors import SaveFailed, UnwritablePath
from kerascb.layouts.checksums import crc32c
from tests.checkpoint.commit.crashing import CrashingFileSystem

GRAPH = "saved_model.pb"
VARIABLES = "variables/variables.index"


@pytest.fixture
def files():
    """The file systems of this machine."""
    return LocalFileSystem()


def _filling(**content):
    """Writes files by name; `_` stands for the name that is empty."""

    def fill(staging):
        for name, text in content.items():
            staging.write("" if name == "_" else name, [text.encode()])

    return fill


def _save_directory(tag, files=None, path="m"):
    names = {GRAPH: tag, VARIABLES: tag}
    return commit(
        files or LocalFileSystem(), path, Kind.DIRECTORY, _filling(**names)
    )


def _tags(folder="m"):
    return [Path(folder, name).read_text() for name in (GRAPH, VARIABLES)]


def _lay_down(path, content=""):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_file(files):
    """It is told by size and checksum; folders on the way are made."""
    written = commit(files, "a/b/m.h5", Kind.FILE, _filling(_="text"))

    assert written == (Written("", 4, crc32c(b"text")),)
    assert Path("a/b/m.h5").read_text() == "text"
    assert os.listdir("a/b") == ["m.h5"]


def test_a_directory(files):
    """Names in it may have folders."""
    written = _save_directory("one")

    assert [file.name for file in written] == [GRAPH, VARIABLES]
    assert _tags() == ["one", "one"]


@pytest.mark.parametrize("name", ["m.weights.h5", "é" * 120 + ".keras"])
def test_the_staged_name(files, name):
    """It lies beside the target and ends as that does, however long."""
    seen = []
    commit(files, name, Kind.FILE, lambda staging: seen.append(staging.path))

    staged = Path(seen[0])
    assert staged.parent == Path.cwd()
    assert staged.name.endswith(name[-12:])
    assert len(os.fsencode(staged.name)) < 255


@pytest.mark.parametrize("kind", Kind)
def test_what_a_foreign_saver_leaves(files, kind):
    """It is adopted, without being told of."""
    end = {"file": "", "prefix": ".index-like", "directory": "/a/b"}[kind.value]

    def fill(staging):
        _lay_down(staging.path + end, "text")
        _lay_down(Path(staging.path).parent / "checkpoint")
        Path(staging.path).parent.joinpath("checkpoint").unlink()

    written = commit(files, "m", kind, fill)

    assert written == (Written(end.lstrip("/"), 4, crc32c(b"text")),)
    assert Path("m" + end).read_text() == "text"


def test_what_a_foreign_saver_leaves_beside(files):
    """A prefix takes only what goes on from it."""

    def fill(staging):
        for name in ("checkpoint", "check.index-like"):
            _lay_down(Path(staging.path).with_name(name), "text")

    commit(files, "check", Kind.PREFIX, fill)

    assert os.listdir() == ["check.index-like"]


def test_a_directory_in_place_of_a_file(files):
    """A saver of the user's may make of a path what it likes."""
    commit(
        files, "m", Kind.FILE, lambda staging: _lay_down(staging.path + "/a")
    )

    assert os.listdir("m") == ["a"]


def test_adopting(files):
    """Only what is new is told."""
    told = []

    def fill(staging):
        staging.write("a", [b"1"])
        _lay_down(staging.path + "/b", "2")
        told.extend(file.name for file in staging.adopt())

    commit(files, "m", Kind.DIRECTORY, fill)

    assert told == ["b"]


def test_nothing_written(files):
    """Then nothing happens."""
    _lay_down("m", "old")

    written = commit(files, "m", Kind.FILE, lambda staging: None)

    assert written == ()
    assert Path("m").read_text() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.PREFIX])
def test_an_error_while_writing(files, kind, error):
    """It is raised; the old one stays, and nothing of the new one."""
    _lay_down("m", "old")

    def fill(staging):
        staging.write("", [b"new"])
        raise error("stop")

    with pytest.raises(error, match="stop"):
        commit(files, "m", kind, fill)

    assert os.listdir() == ["m"]
    assert Path("m").read_text() == "old"


def test_before_it_is_visible(files):
    """The old one is still there, and the new one complete."""
    _lay_down("m", "old")
    seen = []

    def look(written):
        seen.append((Path("m").read_text(), written[0].size))

    commit(files, "m", Kind.FILE, _filling(_="newer"), before_visible=look)

    assert seen == [("old", 5)]


def test_an_objection_before_it_is_visible(files):
    """What is raised there keeps the old one."""
    _lay_down("m", "old")

    def object_(written):
        raise ValueError(f"{len(written)} too many")

    with pytest.raises(ValueError, match="1 too many"):
        commit(files, "m", Kind.FILE, _filling(_="x"), before_visible=object_)

    assert os.listdir() == ["m"]


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY])
def test_verifying(files, kind):
    """What is read back as it was becomes visible."""
    written = commit(files, "m", kind, _filling(_="x"), verify=True)

    assert files.kind("m")
    assert len(written) == 1


def test_pain_a_disk_that_lies(files, monkeypatch):
    """With verify, what reads back otherwise never becomes visible."""
    _lay_down("m", "old")
    monkeypatch.setattr(files, "read", lambda path: iter([b"nEw"]), False)

    with pytest.raises(SaveFailed, match="reads back differently"):
        commit(files, "m", Kind.FILE, _filling(_="new"), verify=True)

    assert Path("m").read_text() == "old"


@pytest.fixture
def umask():
    """Files are made without rights for others."""
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    ("kind", "mode"), [(Kind.FILE, 0o640), (Kind.DIRECTORY, 0o750)]
)
def test_permissions(files, kind, mode):
    """They are those of any new file or folder."""
    commit(
        files, "m", kind, _filling(**{"_" if kind is Kind.FILE else "a": ""})
    )

    assert stat.S_IMODE(os.stat("m").st_mode) == mode


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY])
def test_permissions_that_were_given(files, kind):
    """What is replaced hands its own on, as when it is written over."""
    fill = _filling(**{"_" if kind is Kind.FILE else "a": ""})
    commit(files, "m", kind, fill)
    os.chmod("m", 0o700)

    commit(files, "m", kind, fill)

    assert stat.S_IMODE(os.stat("m").st_mode) == 0o700


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link(files, kind, is_there):
    """It stays; what it leads to is replaced, or made."""
    fill = _filling(**{"_" if kind is Kind.FILE else "a": "new"})
    if is_there:
        commit(files, "elsewhere/m", kind, fill)
    os.symlink("elsewhere/m", "m")

    commit(files, "m", kind, fill)

    assert os.readlink("m") == "elsewhere/m"
    assert os.listdir("elsewhere") == ["m"]
    found = Path("m") if kind is Kind.FILE else Path("m", "a")
    assert found.read_text() == "new"


@pytest.mark.parametrize(
    ("kind", "path", "message"),
    [
        (Kind.FILE, "folder", "a file is to be written there, and a folder"),
        (Kind.DIRECTORY, "file", "a folder is to be written there, and a file"),
        (Kind.FILE, "pipe", "a device or pipe has that name"),
        (Kind.PREFIX, "ck", "'ck.index': a file .* and a folder has that name"),
    ],
)
def test_pain_something_in_the_way(files, kind, path, message):
    """It is named before anything is written."""
    Path("folder").mkdir()
    Path("ck.index").mkdir()
    Path("file").touch()
    os.mkfifo("pipe")

    with pytest.raises(UnwritablePath, match=message):
        commit(files, path, kind, lambda staging: pytest.fail("written"))


def test_a_file_in_place_of_a_folder(files):
    """A file on the way to the checkpoint is named."""
    Path("file").touch()

    with pytest.raises(NotADirectoryError, match="file/a'"):
        commit(files, "file/a/m", Kind.FILE, _filling(_=""))
    with pytest.raises(NotADirectoryError, match="'file/m'"):
        commit(files, "file/m", Kind.FILE, _filling(_=""))


@pytest.mark.parametrize("call", ["check_writable", "create"])
@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_pain_no_right_to_write(call, code):
    """The error names the checkpoint, not a name the user never saw."""
    _lay_down("m", "old")
    files = CrashingFileSystem()
    commit(files, "m", Kind.FILE, _filling(_="old"))
    at = files.calls.index(call) + 1

    with pytest.raises(OSError, match=r"/m'$|: 'm'$") as failure:
        commit(
            CrashingFileSystem(at, code=code), "m", Kind.FILE, _filling(_="new")
        )

    assert failure.value.errno == code
    assert Path("m").read_text() == "old"


@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO]
)
def test_pain_a_full_disk(code):
    """The error names path and bytes and can be told by its number."""
    _lay_down("m", "old")
    fill = _filling(_="new")
    calls = CrashingFileSystem()
    commit(calls, "m", Kind.FILE, fill)
    at = calls.calls.index("finish") + 1
    _lay_down("m", "old")

    with pytest.raises(
        SaveFailed, match=r"after 3 bytes .* [\d,]+ bytes are free .*: 'm'"
    ) as failure:
        commit(CrashingFileSystem(at, code=code), "m", Kind.FILE, fill)

    assert failure.value.errno == code
    assert str(pickle.loads(pickle.dumps(failure.value))) == str(failure.value)
    assert os.listdir() == ["m"]
    assert Path("m").read_text() == "old"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_full_disk_is_told_in_words_of_the_path_asked_for(
    tmp_path, monkeypatch, kind
):
    """Not of folders that are gone when the user looks for them."""

    def fill(staging):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run" / "m"
    with pytest.raises(SaveFailed) as failure:
        commit(LocalFileSystem(), str(path), kind, fill, shown="run/m")

    text = str(failure.value)
    assert f"free in '{tmp_path}/run'" in text
    assert text.endswith(
        "If there was a checkpoint at this path, there still is a complete "
        "one: 'run/m'"
    )


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted: {error}")
    yield folder
    unmount = ["umount", str(folder)]
    subprocess.run(unmount, check=True)


@pytest.mark.parametrize("kind", Kind)
def test_pain_a_disk_that_is_really_full(files, small_disk, kind):
    """The old one stays as it is, and nothing is left over."""
    name = {"file": "", "prefix": ".data", "directory": "a"}[kind.value]
    path = str(small_disk / "m")
    commit(files, path, kind, lambda staging: staging.write(name, [b"old"]))
    before = sorted(small_disk.rglob("*"))

    def fill(staging):
        staging.write(name, [bytes(1 << 20)] * 3)

    with pytest.raises(SaveFailed, match="No space left on device") as failure:
        commit(files, path, kind, fill)

    assert failure.value.filename == path
    assert sorted(small_disk.rglob("*")) == before
    commit(files, path, kind, lambda staging: staging.write(name, [b"new"]))


def test_a_disk_that_is_really_read_only(files, small_disk):
    """The old one stays, and the error names the path."""
    path = str(small_disk / "m")
    commit(files, path, Kind.FILE, _filling(_="old"))
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)

    with pytest.raises(OSError, match=f"Read-only file system: '{path}'"):
        commit(files, path, Kind.FILE, _filling(_="new"))

    assert Path(path).read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("mode", [0o500, 0o700])
def test_pain_a_folder_without_the_right_to_write(files, mode):
    """The error names the checkpoint; the old one stays."""
    path = str(_lay_down("runs/m", "old"))
    os.chmod(path, 0o400)
    os.chmod("runs", mode)

    with pytest.raises(PermissionError, match="runs/m'"):
        commit(files, path, Kind.FILE, _filling(_="new"))

    os.chmod("runs", 0o700)
    assert Path(path).read_text() == "old"
    assert os.listdir("runs") == ["m"]


@pytest.fixture
def quota():
    """No file may have more than a megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("quota")
def test_pain_a_quota(files):
    """The old one stays; what was written of the new one is told, and goes."""
    _lay_down("m", "old")

    with pytest.raises(SaveFailed, match=r"after 1,048,576 bytes .*: 'm'"):
        commit(
            files, "m", Kind.FILE, lambda s: s.write("", [bytes(1 << 20)] * 2)
        )

    assert os.listdir() == ["m"]
    assert Path("m").read_text() == "old"


def test_pain_the_users_files_in_a_directory(files):
    """What no save writes stays; what an earlier save left goes."""
    _save_directory("old")
    kept = ["notes.txt", "assets.extra/warmup", "runs/1/events"]
    gone = ["keras_metadata.pb", "variables/stale", "assets.extra/kerascb.x"]
    for name in kept + gone:
        _lay_down(Path("m", name), name)
    os.symlink("nowhere", "m/link")

    _save_directory("new")

    assert _tags() == ["new", "new"]
    assert [Path("m", name).read_text() for name in kept] == kept
    assert not any(Path("m", name).exists() for name in gone)
    assert os.readlink("m/link") == "nowhere"
    assert os.listdir() == ["m"]


@pytest.fixture(params=[errno.ENOSYS, errno.EXDEV], ids=["no call", "layers"])
def no_exchange(request, files, monkeypatch):
    """A system that cannot exchange names."""

    def refuse(one, other):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(files, "exchange", refuse, False)
    return files


def test_a_directory_where_names_cannot_be_exchanged(no_exchange):
    """It is replaced all the same, and the user's files stay."""
    _save_directory("old")
    _lay_down("m/notes.txt", "mine")
    _lay_down("m/variables/stale")

    _save_directory("new", no_exchange)

    assert _tags() == ["new", "new"]
    assert sorted(os.listdir("m/variables")) == ["variables.index"]
    assert Path("m/notes.txt").read_text() == "mine"
    assert os.listdir() == ["m"]


def test_an_old_directory_that_cannot_be_removed(
    no_exchange, monkeypatch, caplog
):
    """The new one is visible: that is logged, and no failure to save."""
    _save_directory("old")

    def refuse(path):
        raise OSError(errno.ENOTEMPTY, "not now")

    monkeypatch.setattr(no_exchange, "remove", refuse, False)

    _save_directory("new", no_exchange)

    assert _tags() == ["new", "new"]
    assert "not now" in caplog.text


@pytest.fixture(params=["exchange", "two steps"])
def late(request, files, monkeypatch):
    """A disk on which a file of the user's comes late, and cannot be linked."""
    is_exchanged = request.param == "exchange"
    name = "exchange" if is_exchanged else "move"
    call = getattr(files, name)

    def come_late(*names):
        monkeypatch.setattr(files, name, call, False)
        _lay_down("m/runs/late.txt", "mine")
        call(*names)

    def no_call(one, other):
        raise OSError(errno.ENOSYS, "no such call")

    def refuse(source, target):
        raise OSError(errno.EDQUOT, "no more", source)

    if not is_exchanged:
        monkeypatch.setattr(files, "exchange", no_call, False)
    monkeypatch.setattr(files, name, come_late, False)
    monkeypatch.setattr(files, "link", refuse, False)
    return files


def test_pain_notes_that_come_late_and_cannot_be_taken_along(late, caplog):
    """They are kept where the log says, and no start of a run removes them."""
    _save_directory("old")

    _save_directory("new", late)
    staged_names._run.cache_clear()
    clean_leftovers(late, "")

    assert _tags() == ["new", "new"]
    [kept] = filter(is_staged, os.listdir())
    assert Path(kept, "runs/late.txt").read_text() == "mine"
    assert kept in caplog.text
    assert "late.txt" in caplog.text


def test_pain_ctrl_c_while_late_notes_are_taken_along(
    late, monkeypatch, caplog
):
    """It goes on, and what was not taken along is kept as well."""
    _save_directory("old")

    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(late, "link", interrupt, False)

    with pytest.raises(KeyboardInterrupt):
        _save_directory("new", late)

    assert _tags() == ["new", "new"]
    [kept] = filter(is_staged, os.listdir())
    assert Path(kept, "runs/late.txt").read_text() == "mine"
    assert kept in caplog.text


def test_the_current_folder(files):
    """It stays the one that the process is in."""
    _lay_down("keras_metadata.pb")
    _lay_down("notes.txt")
    _save_directory("old", path=".")

    _save_directory("new", path=".")

    assert _tags(".") == ["new", "new"]
    assert sorted(os.listdir()) == ["notes.txt", GRAPH, "variables"]


def test_a_mounted_volume(files, small_disk):
    """A folder that cannot be renamed is filled."""
    _save_directory("old", path=str(small_disk))
    Path(small_disk, "notes.txt").touch()

    _save_directory("new", path=str(small_disk))

    assert _tags(small_disk) == ["new", "new"]
    assert sorted(os.listdir(small_disk)) == ["notes.txt", GRAPH, "variables"]


def test_a_folder_beside_which_nothing_can_be_written(files, monkeypatch):
    """The new one is prepared inside."""
    _save_directory("old")
    monkeypatch.setattr(local_place, "can_be_renamed", lambda target: False)

    _save_directory("new")

    assert _tags() == ["new", "new"]
    assert sorted(os.listdir("m")) == [GRAPH, "variables"]


@pytest.fixture
def leftover(monkeypatch):
    """Makes what a process would leave behind, and returns its name."""

    def make(pid=None, machine=None, role="new"):
        with monkeypatch.context() as patch:
            patch.setattr(staged_names.os, "getpid", lambda: pid or 1)
            if machine:
                patch.setattr(staged_names, "_machine", lambda: machine)
            name = staged_name("m.keras", role)
        Path(name).mkdir()
        Path(name, "part").touch()
        return name

    return make


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])  # noqa: S607
    process.wait()
    return process.pid


def test_pain_leftovers_of_a_killed_run(files, leftover, dead):
    """They go; what is not ours stays, whatever it is called."""
    leftover(dead)
    foreign = [".kerascb-notes", ".tmp-m.keras", "m.keras"]
    for name in foreign:
        _lay_down(name)

    clean_leftovers(files, "")

    assert sorted(os.listdir()) == sorted(foreign)


def test_what_a_run_is_writing(files, leftover):
    """It stays while the process lives; process 1 always does."""
    name = leftover(1)

    clean_leftovers(files, os.getcwd())

    assert os.listdir() == [name]


def test_a_process_with_the_number_of_a_dead_one(files, leftover):
    """A container that is started again counts from 1 again."""
    name = leftover(os.getpid())
    assert not staged_names.is_abandoned(files, ".", name)
    staged_names._run.cache_clear()

    clean_leftovers(files, ".")

    assert os.listdir() == []


@pytest.mark.parametrize(("days", "stays"), [(6, True), (8, False)])
def test_what_another_machine_is_writing(files, leftover, days, stays):
    """Whether its process lives cannot be known; a week is waited."""
    name = leftover(machine="0" * 8)
    written = Path(name).stat().st_mtime - days * 24 * 3600
    os.utime(name, (written, written))

    clean_leftovers(files, ".")

    assert Path(name).exists() is stays


@pytest.mark.parametrize("came", [False, True])
def test_a_directory_that_was_set_aside(files, leftover, dead, came):
    """It is put back unless the new one came."""
    leftover(dead, role="old")
    if came:
        Path("m.keras").mkdir()

    clean_leftovers(files, ".")

    assert os.listdir() == ["m.keras"]
    assert os.listdir("m.keras") == ([] if came else ["part"])


def test_a_directory_that_this_process_set_aside(files, leftover):
    """It is put back as well, should that have failed before."""
    leftover(os.getpid(), role="old")

    clean_leftovers(files, ".")

    assert os.listdir() == ["m.keras"]
    assert os.listdir("m.keras") == ["part"]


def test_a_directory_that_another_thread_sets_aside(
    files, leftover, monkeypatch
):
    """That thread's new one is waited for."""
    name = leftover(os.getpid(), role="old")

    @contextlib.contextmanager
    def wait(folder):
        Path("m.keras").mkdir()
        yield

    monkeypatch.setattr(files, "locked", wait, False)

    clean_leftovers(files, "")

    assert sorted(os.listdir()) == [name, "m.keras"]
    assert os.listdir("m.keras") == []


def test_leftovers_that_cannot_be_removed(files, leftover, dead, caplog):
    """That is logged; it is no reason not to train."""
    name = leftover(dead)
    broken = CrashingFileSystem(2, code=errno.EACCES)

    clean_leftovers(broken, ".")

    assert name in caplog.text


def test_no_folder_to_clean(files):
    """There is nothing to do before the first save."""
    clean_leftovers(files, "nowhere")


def test_a_failing_clean_up(files, monkeypatch, caplog):
    """What was saved counts."""
    commit(files, "m", Kind.PREFIX, _filling(_="old"))

    def refuse(path):
        raise OSError(errno.EACCES, "not now")

    monkeypatch.setattr(files, "remove", refuse, False)

    commit(files, "m", Kind.PREFIX, _filling(_="new"))

    assert Path("m").read_text() == "new"
    assert "not now" in caplog.text
    assert [is_staged(name) for name in os.listdir()].count(True) == 1


def test_many_small_pieces():
    """They do not cost a call of the system each."""
    files = CrashingFileSystem()

    def fill(staging):
        staging.write("", [b"0123456789" * 10] * 20_000)

    written = commit(files, "m", Kind.FILE, fill)

    assert written[0].size == 2_000_000
    assert files.calls.count("write") == 2


def test_a_large_file_reaches_the_disk_meanwhile():
    """Its writing begins before all of it is there."""
    files = CrashingFileSystem()

    def fill(staging):
        staging.write("", [memoryview(bytes(20 << 20))] * 2)

    commit(files, "m", Kind.FILE, fill)

    assert files.calls.index("begin") < files.calls.index("finish")
    assert Path("m").stat().st_size == 40 << 20
