"""What checkpoints there are in a folder."""

import os

import h5py
import numpy as np
import pytest

import kerascb
from kerascb import runtime as runtimes
from kerascb.checkpoint.catalog.manifest import Entry, FileFacts, Manifest
from kerascb.checkpoint.catalog.records import checkpoints, survey
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.layouts import notes
from kerascb.runtime import Format
from tests.checkpoint.catalog.listed import note_of, put_bytes, put_on_list

pytestmark = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",  # JAX's
)

FORMS = {
    "m.keras": Format.KERAS,
    "m.h5": Format.HDF5,
    "m.weights.h5": Format.WEIGHTS,
    "old.h5": Format.HDF5_WEIGHTS,
    "ckpt": Format.TF_CHECKPOINT,
    "directory": Format.SAVED_MODEL,
}


@pytest.fixture
def save(make_model, runtime):
    """Writes a small model as a stock callback would."""

    def write(folder, name, form):
        if not runtime.can_write(form):
            pytest.skip(f"cannot write {form.value}")
        runtime.save(make_model(), os.path.join(folder, name), form)

    return write


def _names(records):
    return [os.path.basename(record.path) for record in records]


def test_all_that_was_noted_is_known(tmp_path):
    """Without the checkpoint being opened."""
    put_bytes(tmp_path, "m.keras", b"12345", epoch=3, batch=7)

    [record] = checkpoints(tmp_path)

    assert record.path == str(tmp_path / "m.keras")
    assert record.form is Format.KERAS
    assert (record.epoch, record.batch, record.step) == (3, 7, 30)
    assert record.metrics == {"loss": 1 / 3}
    assert (record.time, record.size) == (1003.0, 5)
    assert (record.monitor, record.mode) == ("loss", "min")
    assert record.files[""].size == 5
    assert record.verify() == []
    assert record.has_checksums


@pytest.mark.parametrize(("name", "form"), FORMS.items())
def test_what_stock_wrote_is_recognised(tmp_path, save, name, form):
    """Without a manifest, by what it is; nothing is known of its checksum."""
    save(tmp_path, name, form)

    [record] = checkpoints(tmp_path)

    assert (record.path, record.form) == (str(tmp_path / name), form)
    assert record.size > 1000
    assert record.time == pytest.approx(os.path.getmtime(tmp_path), abs=100)
    assert (record.epoch, record.metrics, record.files) == (None, {}, {})
    assert record.verify() == []
    assert not record.has_checksums


@pytest.mark.parametrize(("name", "form"), FORMS.items())
def test_what_is_listed_is_listed_once(tmp_path, save, name, form):
    """No file of a checkpoint is taken for another checkpoint."""
    save(tmp_path, name, form)
    put_on_list(tmp_path, name, form)

    [record] = checkpoints(tmp_path)

    assert record.path == str(tmp_path / name)
    assert record.has_checksums
    assert record.verify() == []


def test_a_note_without_a_manifest(tmp_path, save):
    """A plain call leaves the note alone, inside the file."""
    save(tmp_path, "w.weights.h5", Format.WEIGHTS)
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        content = notes.encode(note_of(4, batch=2)).ljust(500)
        file["kerascb"] = np.frombuffer(content, np.uint8)

    [record] = checkpoints(tmp_path)

    assert (record.epoch, record.batch, record.time) == (4, 2, 1004.0)
    assert record.metrics == {"loss": 0.25}
    assert not record.has_checksums


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "log.csv", "checkpoint", ".hidden.keras", "a.index.html"],
)
def test_other_files_are_none(tmp_path, name):
    """What is beside checkpoints is left out."""
    (tmp_path / name).write_text("text")

    assert checkpoints(tmp_path) == []


def test_a_data_set_is_none(tmp_path):
    """Any HDF5 file could be weights; one by that name alone is not."""
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["x"] = np.zeros(3)

    assert checkpoints(tmp_path) == []


def test_unfinished_ones_are_none(tmp_path):
    """What a killed run left under a name of its own is no checkpoint."""
    from kerascb.checkpoint.files.staged_names import staged_name

    (tmp_path / os.path.basename(staged_name("m.keras"))).write_bytes(b"x")

    assert checkpoints(tmp_path) == []


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
def test_what_cannot_be_opened_is_listed_and_damaged(tmp_path, name):
    """Half a checkpoint of stock's is not passed over in silence."""
    (tmp_path / name).write_bytes(b"half of it")

    [record] = checkpoints(tmp_path)

    assert "cannot be read" in record.verify()[0]


def test_oldest_first(tmp_path):
    """In the order of writing, listed or not."""
    for name, time in {"c.keras": 1004, "a.keras": 1001.5}.items():
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time, time))
    put_bytes(tmp_path, "b.keras", epoch=2)
    put_bytes(tmp_path, "d.keras", epoch=3)

    expected = ["a.keras", "b.keras", "d.keras", "c.keras"]
    assert _names(checkpoints(tmp_path)) == expected


def test_the_order_survives_a_clock_that_is_set_back(tmp_path):
    """The manifest knows what was written after what."""
    put_bytes(tmp_path, "first.keras", epoch=9)
    put_bytes(tmp_path, "then.keras", epoch=2)

    assert _names(checkpoints(tmp_path)) == ["first.keras", "then.keras"]


def test_what_was_deleted_by_hand_is_none(tmp_path):
    """But it is marked where somebody asks whether all is whole."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    (tmp_path / "a.keras").unlink()

    assert _names(checkpoints(tmp_path)) == ["b.keras"]
    missing = [one for one in survey(tmp_path).records if one.is_missing]
    assert _names(missing) == ["a.keras"]
    assert missing[0].verify() == ["a.keras is missing"]


def test_what_a_kill_kept_from_appearing_is_none(tmp_path):
    """It never was a checkpoint; nobody is alarmed."""
    manifest = Manifest(filesystem_of(""), str(tmp_path))
    manifest.add(Entry("a.keras", Format.KERAS, {"": FileFacts(1, 1)}))

    assert survey(tmp_path).records == []


def test_what_retention_deleted_is_none(tmp_path):
    """Its absence is as it should be."""
    old = put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    manifest = Manifest(filesystem_of(""), str(tmp_path))
    manifest.settle("b.keras", leaving=["a.keras"])
    manifest.delete(old)

    assert _names(survey(tmp_path).records) == ["b.keras"]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_kill_while_overwriting_leaves_either_whole(tmp_path, save, is_new):
    """Both lines are there; what is at the path tells which one it is."""
    save(tmp_path, "w.weights.h5", Format.WEIGHTS)
    path = tmp_path / "w.weights.h5"

    def write_note(epoch):
        with h5py.File(path, "a") as file:
            file.pop("kerascb", None)
            content = notes.encode(note_of(epoch)).ljust(500)
            file["kerascb"] = np.frombuffer(content, np.uint8)

    write_note(1)
    old = put_on_list(tmp_path, "w.weights.h5", Format.WEIGHTS, epoch=1)
    before = path.read_bytes()
    write_note(2)
    new = put_on_list(tmp_path, "w.weights.h5", Format.WEIGHTS, epoch=2)
    (tmp_path / "kerascb-checkpoints.jsonl").unlink()
    manifest = Manifest(filesystem_of(""), str(tmp_path))
    manifest.add(old)
    manifest.settle("w.weights.h5")
    manifest.add(new)
    if not is_new:
        path.write_bytes(before)

    [record] = checkpoints(tmp_path)

    assert record.verify() == []
    assert record.epoch == (2 if is_new else 1)


def test_neither_of_two_lines(tmp_path):
    """What is at the path must be one of them."""
    put_bytes(tmp_path, "m.keras", b"old")
    manifest = Manifest(filesystem_of(""), str(tmp_path))
    manifest.add(Entry("m.keras", Format.KERAS, {"": FileFacts(3, 1)}))
    (tmp_path / "m.keras").write_bytes(b"odd")

    [record] = checkpoints(tmp_path)

    assert "is not what was written" in record.verify()[0]


def test_below_the_folder(tmp_path):
    """A template with folders of its own has one manifest, at its home."""
    (tmp_path / "3").mkdir()
    put_bytes(tmp_path, "3/m.keras")

    [record] = checkpoints(tmp_path)

    assert record.path == str(tmp_path / "3" / "m.keras")
    assert record.verify() == []


def test_the_current_folder(tmp_path):
    """An empty path is where one is."""
    put_bytes(tmp_path, "m.keras")

    assert [record.path for record in checkpoints("")] == ["m.keras"]
    assert [record.path for record in checkpoints(".")] == ["./m.keras"]


def test_no_such_directory(tmp_path):
    """Not an empty list, which would say that nothing was saved."""
    with pytest.raises(FileNotFoundError, match=r"no directory '.*nowhere'"):
        kerascb.checkpoints(tmp_path / "nowhere")


def test_a_file_is_no_directory(tmp_path):
    """A path of a checkpoint is not one of a folder."""
    (tmp_path / "m.keras").write_bytes(b"")

    with pytest.raises(NotADirectoryError, match=r"'.*m\.keras' is not a"):
        kerascb.checkpoints(tmp_path / "m.keras")


def test_far_away(tmp_path):
    """A remote folder is listed and verified as one here."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    put_bytes(tmp_path, "m.keras", epoch=2)
    for name in os.listdir(tmp_path):
        memory.pipe_file(f"/records/{name}", (tmp_path / name).read_bytes())
    memory.pipe_file("/records/other.keras", b"x")

    try:
        [listed] = [
            one
            for one in checkpoints("memory://records")
            if one.path == "memory://records/m.keras"
        ]
        [other] = [
            one
            for one in checkpoints("memory://records")
            if one.path == "memory://records/other.keras"
        ]
        assert listed.epoch == 2
        assert listed.verify() == []
        assert other.form is Format.KERAS
        memory.pipe_file("/records/m.keras", b"some bytEs")
        assert "is not what was written" in listed.verify()[0]
    finally:
        memory.rm("/records", recursive=True)


def test_no_keras_is_imported(tmp_path):
    """Where a manifest tells all, listing and verifying needs none."""
    import subprocess
    import sys

    put_bytes(tmp_path, "m.keras")
    code = (
        "import sys, kerascb; [record] = kerascb.checkpoints('.'); "
        "assert record.verify() == []; "
        "print([m for m in ('keras', 'tf_keras', 'tensorflow', 'jax', 'torch')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_note_of_a_missing_checkpoint():
    """A path where nothing is has none."""
    assert runtimes.read_note("nowhere") is None
