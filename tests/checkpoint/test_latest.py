"""The newest of the files of a template."""

import os

import fsspec
import pytest

from kerascb.checkpoint import latest
from kerascb.checkpoint.files.filesystem import LocalFileSystem
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.checkpoint.latest import newest


def _write(folder, times):
    for name, time in times.items():
        (folder / name).write_text("")
        os.utime(folder / name, (time, time))


@pytest.mark.parametrize("bare", [True, False])
def test_the_last_written_is_taken(tmp_path, bare):
    """Time decides, also for a file name without a folder."""
    _write(tmp_path, {"w-03.h5": 1, "w-01.h5": 3, "w-02.h5": 2, "x.h5": 4})
    folder = "" if bare else str(tmp_path)

    found = newest(os.path.join(folder, "w-{epoch:02d}.h5"))

    assert found == os.path.join(folder, "w-01.h5")


def test_the_largest_name_of_one_time(tmp_path):
    """Of files of the same second the one with the largest name is taken."""
    _write(tmp_path, {"w-03.h5": 1, "w-01.h5": 1})

    assert newest("w-{epoch:02d}.h5") == "w-03.h5"


def test_the_text_of_a_template_is_meant_literally(tmp_path):
    """A dot stands for a dot, and a placeholder for one part of the name."""
    _write(tmp_path, {"b03xe02.h5": 1, "b03.f02.h5": 2})

    assert newest("b{batch:02d}.e{epoch:02d}.h5") is None


@pytest.mark.parametrize("template", ["none-{epoch}.h5", "no/folder-{epoch}"])
def test_nothing(template):
    """Where nothing is, nothing is found."""
    assert newest(template) is None


def test_a_checkpoint_is_found_by_its_prefix(tmp_path):
    """The files of a TensorFlow checkpoint count as one."""
    _write(
        tmp_path,
        {
            "cp-1.index": 1,
            "cp-1.data-00000-of-00001": 1,
            "cp-2.index": 2,
            "cp-2.data-00000-of-00001": 3,
        },
    )

    assert newest("cp-{epoch}") == "cp-2"


def test_what_the_folder_notes_comes_first(tmp_path, tensorflow):
    """TensorFlow's own note is more to be relied on than times."""
    _write(tmp_path, {"cp-1": 1, "cp-2": 2})
    tensorflow.__internal__.train.update_checkpoint_state(
        str(tmp_path), str(tmp_path / "cp-1")
    )

    assert newest("cp-{epoch}") == "cp-1"


def test_a_folder_with_braces(tmp_path):
    """Braces that are doubled stand for themselves, as when saving."""
    (tmp_path / "d{x}").mkdir()
    _write(tmp_path / "d{x}", {"w1.h5": 1, "w2.h5": 2})

    assert newest("d{{x}}/w{epoch}.h5") == os.path.join("d{x}", "w2.h5")


def test_a_folder_with_placeholders():
    """There is no one folder to look in."""
    assert newest("{epoch}/w.h5") is None


def test_a_directory_is_no_file(tmp_path):
    """What Keras writes as one file is not looked for in a directory."""
    (tmp_path / "m9.keras").mkdir()
    (tmp_path / "d9").mkdir()
    _write(tmp_path, {"m1.keras": 1})

    assert newest("m{epoch}.keras") == "m1.keras"
    assert newest("d{epoch}") == "d9"


def test_a_link_that_leads_nowhere(tmp_path):
    """It is passed over."""
    _write(tmp_path, {"w1.h5": 1})
    os.symlink("gone.h5", "w2.h5")

    assert newest("w{epoch}.h5") == "w1.h5"


@pytest.mark.parametrize(
    "name", ["w2.h5", staged_name("w2.h5"), "of another run"]
)
def test_pain_a_file_that_another_run_removes(tmp_path, monkeypatch, name):
    """What goes while it is looked for raised in a resumed fit."""
    _write(tmp_path, {"w1.h5": 1, name: 2})
    names = LocalFileSystem().names(".")
    (tmp_path / name).unlink()
    monkeypatch.setattr(LocalFileSystem, "names", lambda *_: names)

    assert newest("w{epoch}.h5") == "w1.h5"


def test_a_file_that_goes_before_its_time_is_asked(tmp_path, monkeypatch):
    """Nothing is kept from being removed between two questions."""
    _write(tmp_path, {"w1.h5": 1})

    def gone(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(latest.os.path, "getmtime", gone)

    assert newest("w{epoch}.h5") is None


@pytest.fixture
def memory():
    """A folder that fsspec reaches, and TensorFlow does not."""
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/latest", recursive=True)


def _put(memory, *names):
    for name in names:
        memory.pipe_file(f"/latest/{name}", b"")


def test_pain_far_away(memory):
    """Nothing was found where only fsspec reaches."""
    _put(memory, "w2.h5", "w1.h5", "x3.h5", staged_name("w4.h5"))

    assert newest("memory://latest/w{epoch}.h5") == "memory://latest/w1.h5"


def test_a_prefix_far_away(memory):
    """The files of a TensorFlow checkpoint count as one."""
    _put(memory, "c1.data-00000-of-00001", "c1.index", "checkpoint")

    assert newest("memory://latest/c{epoch}") == "memory://latest/c1"


def test_a_directory_far_away(memory):
    """Its graph tells when it was written, for stores date no folders."""
    _put(memory, "d2/saved_model.pb", "d1/saved_model.pb", "d3/else")

    assert newest("memory://latest/d{epoch}") == "memory://latest/d1"


def test_nothing_far_away(memory):
    """A folder that is not there holds nothing."""
    _put(memory, "w1.h5")

    assert newest("memory://latest/none/w{epoch}.h5") is None
