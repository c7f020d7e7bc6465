"""Of a file far away only what is asked for is fetched."""

import uuid
import zipfile

import fsspec
import h5py
import numpy as np
import pytest

import kerascb
from kerascb.checkpoint import loading, notes
from kerascb.checkpoint.commit import Kind, commit
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.parts import opened
from kerascb.checkpoint.files.remote import FsspecFileSystem
from kerascb.layouts.notes import encode
from kerascb.layouts.tensor_bundle import Tensor, bundle
from kerascb.runtime import Format

SIZE = 40 << 20
NOTE = {"epoch": 3, "metrics": {"loss": 0.5}}


@pytest.fixture(params=["memory", "ram"])
def folder(request):
    """A folder far away, of which nothing is left when the test is over."""
    if request.param == "ram":
        request.getfixturevalue("tensorflow")
    root = f"{request.param}://{uuid.uuid4().hex}"
    filesystem_of(root).make_folder(root)
    yield root
    filesystem_of(root).remove(root)


@pytest.fixture
def fetched(folder, monkeypatch):
    """How many bytes were fetched, call by call; whole files are refused."""
    counts = []
    kind = type(filesystem_of(folder))
    part = kind.part

    def count(files, path, start, size):
        found = part(files, path, start, size)
        counts.append(len(found))
        return found

    def refuse(files, path):
        assert path.endswith(".index"), f"{path} is read whole"
        return read(files, path)

    read = kind.read
    monkeypatch.setattr(kind, "part", count)
    monkeypatch.setattr(kind, "read", refuse)
    return counts


def _put(folder, name, local):
    filesystem_of(folder).upload(str(local), f"{folder}/{name}")
    return f"{folder}/{name}"


def _archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        archive.writestr("model.weights.h5", bytes(SIZE))
        archive.comment = encode(NOTE)
    return path


def _hdf5(path):
    with h5py.File(path, "w") as file:
        file["a/values"] = np.zeros(SIZE, np.uint8)
        file.attrs["layer_names"] = ["a"]
        file["kerascb"] = np.frombuffer(encode(NOTE), np.uint8)
        file["z/values"] = np.zeros(SIZE, np.uint8)
    return path


FILES = {"m.keras": _archive, "w.h5": _hdf5}


@pytest.fixture(params=FILES)
def large(request, folder, tmp_path):
    """A large file there that has a note."""
    return _put(folder, request.param, FILES[request.param](tmp_path / "m"))


def test_pain_the_note_of_a_large_file(large, fetched):
    """Listing a folder fetched every checkpoint in it."""
    assert notes.read(large) == NOTE
    assert sum(fetched) < SIZE / 10


def test_pain_what_a_large_file_is(large, fetched):
    """It was fetched whole to find that out, and then once more to load."""
    form = loading.find(large).form

    assert form in {Format.KERAS, Format.HDF5_WEIGHTS}
    assert sum(fetched) < SIZE / 10


@pytest.mark.parametrize("name", ["ck", "m/variables/variables"])
def test_pain_the_note_of_a_tensorflow_checkpoint(folder, fetched, name):
    """It is at the end of the tensors; TensorFlow is not asked."""
    values = [memoryview(bytes(SIZE))]

    def fill(staging):
        layouts = bundle([Tensor("a", "uint8", (SIZE,), 0)])
        for end, layout in layouts.items():
            staging.write(end, layout.render(values, encode(NOTE)))

    path = f"{folder}/{name}"
    commit(filesystem_of(path), path, Kind.PREFIX, fill)
    fetched.clear()

    assert notes.read(path.removesuffix("/variables/variables")) == NOTE
    assert sum(fetched) < SIZE / 10


def test_pain_a_listing_far_away(large, fetched):
    """No manifest tells of the file; it is not fetched for all that."""
    [found] = kerascb.checkpoints(large.rpartition("/")[0])

    assert (found.epoch, found.metrics) == (3, {"loss": 0.5})
    assert sum(fetched) < SIZE / 10


def test_a_checkpoint_without_a_note(folder):
    """As stock writes them."""

    def fill(staging):
        for end, layout in bundle([Tensor("a", "uint8", (1,), 0)]).items():
            staging.write(end, layout.render([memoryview(b"a")], b""))

    commit(filesystem_of(folder), f"{folder}/ck", Kind.PREFIX, fill)

    assert notes.read(f"{folder}/ck") is None


@pytest.mark.parametrize("read", [notes.read, loading.find])
def test_pain_a_connection_that_breaks(large, monkeypatch, read):
    """That is no checkpoint without a note, nor a damaged one."""

    def break_(files, path, start, size):
        raise ConnectionResetError("the line is dead")

    kind = type(filesystem_of(large))
    monkeypatch.setattr(kind, "part", break_)

    with pytest.raises(ConnectionResetError, match="the line is dead"):
        read(large)


@pytest.mark.parametrize("start", [0, 3, 200_000])
def test_a_part(folder, tmp_path, start):
    """It may begin anywhere, and ends where the file does."""
    content = np.random.default_rng(0).bytes(200_001)
    (tmp_path / "file").write_bytes(content)
    path = _put(folder, "file", tmp_path / "file")

    with opened(path) as file:
        file.seek(start)
        found = file.read()
        file.seek(-2, 2)
        assert file.read(5) == content[-2:]

    assert found == content[start:]


def test_before_the_beginning(folder, tmp_path):
    """Python's own files refuse that as well."""
    (tmp_path / "file").write_bytes(b"a")

    with (
        opened(_put(folder, "file", tmp_path / "file")) as file,
        pytest.raises(OSError, match="position -1"),
    ):
        file.seek(-2, 2)


def test_loading_downloads_once(monkeypatch, make_model, tmp_path):
    """To find out what it is costs a few parts, not the file again."""
    make_model().save(tmp_path / "m.keras")
    path = f"memory://{uuid.uuid4().hex}.keras"
    filesystem_of(path).upload(str(tmp_path / "m.keras"), path)
    reads = []
    read = FsspecFileSystem.read

    def note(files, path):
        reads.append(path)
        return read(files, path)

    monkeypatch.setattr(FsspecFileSystem, "read", note)

    kerascb.load_model(path)

    assert reads == [path]
    fsspec.filesystem("memory").rm(path)
