"""Checkpoints that a disk, a kill or a person has damaged."""

import os
import shutil

import pytest

import kerascb
from kerascb.checkpoint.catalog import restoring
from kerascb.checkpoint.catalog.records import checkpoints, survey
from kerascb.cli import main
from kerascb.layouts.tensor_bundle import with_shards
from kerascb.runtime import Format
from tests.checkpoint.catalog.listed import copy_of, files_of, put_on_list

pytestmark = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",  # JAX's
)

FORMS = {
    Format.KERAS: "m{}.keras",
    Format.HDF5: "m{}.h5",
    Format.WEIGHTS: "m{}.weights.h5",
    Format.TF_CHECKPOINT: "m{}",
    Format.SAVED_MODEL: "d{}",
}
REGIONS = 64
ENDS = 64


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: form.name)
def written(request, runtime, keras, tmp_path_factory):
    """A folder with two checkpoints of the same format, and their names."""
    form = request.param
    if not runtime.can_write(form):
        pytest.skip(f"cannot write {form.value}")
    folder = tmp_path_factory.mktemp(form.name)
    names = [FORMS[form].format(epoch) for epoch in (1, 2)]
    for epoch, name in enumerate(names, start=1):
        keras.utils.set_random_seed(epoch)
        model = keras.Sequential(
            [keras.layers.Input((3,)), keras.layers.Dense(2, name="dense")]
        )
        model.compile("sgd", "mse")
        runtime.save(model, str(folder / name), form)
        put_on_list(folder, name, form, epoch=epoch)
    return folder, names


@pytest.fixture
def folder(written, tmp_path):
    """A copy of it that may be damaged."""
    return copy_of(written[0], tmp_path / "run")


@pytest.fixture(params=[97, pytest.param(1, marks=pytest.mark.soak)])
def step(request):
    """How far one damaged byte is from the next."""
    return request.param


@pytest.fixture
def names(written):
    """The older of the two and the newer one."""
    return written[1]


@pytest.fixture
def loaded(monkeypatch):
    """The names of what `load_latest` would have loaded."""
    paths = []

    def load(path, **how):
        paths.append(os.path.basename(path))

    monkeypatch.setattr(restoring, "load_model", load)
    monkeypatch.setattr(restoring, "load_weights", lambda _, path: load(path))
    return paths


def _newest(folder):
    return survey(folder).records[-1]


def _flips(path, positions, bit=1):
    """Damages a file at one position after the other, and mends it again."""
    with open(path, "r+b", buffering=0) as file:
        for position in positions:
            byte = os.pread(file.fileno(), 1, position)[0]
            os.pwrite(file.fileno(), bytes([byte ^ bit]), position)
            yield position
            os.pwrite(file.fileno(), bytes([byte]), position)


def _unnoticed_flips(folder, name, positions_in):
    newest = _newest(folder)
    return [
        (path, position)
        for path in files_of(folder, name)
        for position in _flips(path, positions_in(os.path.getsize(path)))
        if not newest.verify()
    ]


def _in_regions(size):
    return sorted({size * i // REGIONS for i in range(REGIONS)})


def _at_the_ends(size):
    return [i for i in range(size) if i < ENDS or i >= size - ENDS]


def test_undamaged_it_is_whole(folder, names):
    """Or the other tests would prove nothing."""
    assert [record.verify() for record in checkpoints(folder)] == [[], []]
    assert _newest(folder).path == str(folder / names[1])


def test_a_flipped_bit_in_every_region(folder, names):
    """All parts of all files are covered."""
    assert _unnoticed_flips(folder, names[1], _in_regions) == []


def test_a_flipped_bit_at_the_ends(folder, names):
    """Headers and trailers are covered byte by byte."""
    assert _unnoticed_flips(folder, names[1], _at_the_ends) == []


def test_a_flipped_bit_anywhere(folder, names, step):
    """No byte of any file can change unnoticed."""

    def positions_in(size):
        return range(0, size, step)

    assert _unnoticed_flips(folder, names[1], positions_in) == []


def test_any_length_but_its_own(folder, names):
    """A file that was cut is noticed, wherever it was cut, and so is more."""
    newest = _newest(folder)
    unnoticed = []
    for path in files_of(folder, names[1]):
        with open(path, "rb") as file:
            content = file.read()
        for length in [*_in_regions(len(content)), len(content) - 1]:
            with open(path, "wb") as file:
                file.write(content[:length])
            unnoticed += [] if newest.verify() or not content else [path]
        with open(path, "wb") as file:
            file.write(content + b"\0")
        unnoticed += [] if newest.verify() else [path]
        with open(path, "wb") as file:
            file.write(content)

    assert unnoticed == []


def test_any_file_that_is_missing(folder, names):
    """One of several, or the only one."""
    paths = files_of(folder, names[1])
    newest = _newest(folder)
    found = []
    for path in paths:
        os.rename(path, f"{path}.away")
        found += newest.verify()
        os.rename(f"{path}.away", path)

    assert len(found) == len(paths)
    assert all(sentence.endswith("is missing") for sentence in found)


def test_a_file_of_another_checkpoint(folder, names):
    """Whole in itself, and of the same size, but not of this checkpoint."""
    older, newer = (files_of(folder, name) for name in names)
    newest = _newest(folder)
    differing, noticed = [], []
    for one, other in zip(older, newer, strict=True):
        with open(one, "rb") as first, open(other, "rb") as second:
            if first.read() == second.read():
                continue  # a graph, say, is the same in both
        differing.append(other)
        os.rename(other, f"{other}.away")
        shutil.copy(one, other)
        noticed += [other] if newest.verify() else []
        os.replace(f"{other}.away", other)

    assert noticed == differing != []


@pytest.mark.parametrize("region", range(8))
def test_the_one_before_is_loaded(folder, names, loaded, region):
    """`load_latest` notices what `verify` notices, and says so."""
    [*_, path] = files_of(folder, names[1])
    position = os.path.getsize(path) * region // 8
    flip = _flips(path, [position])
    next(flip)

    with pytest.warns(UserWarning, match="is not what was written"):
        kerascb.load_latest(folder, model=object())

    assert loaded == [names[0]]
    flip.close()


def test_the_command_notices(folder, names, capsys):
    """The table says which it is, and the exit status that there is one."""
    assert main(["checkpoints", str(folder), "--verify"]) == 0
    [*_, path] = files_of(folder, names[1])
    flip = _flips(path, [os.path.getsize(path) // 2])
    next(flip)

    assert main(["checkpoints", str(folder), "--verify"]) == 1

    out = capsys.readouterr().out
    assert "DAMAGED" in out
    assert f"{os.path.relpath(path, folder)} is not what was written" in out
    flip.close()


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_cut_without_a_manifest(folder, names, kept):
    """By what the format has of its own; a directory's variables among it."""
    (folder / "kerascb-checkpoints.jsonl").unlink()
    [record] = [
        one for one in checkpoints(folder) if one.path == str(folder / names[1])
    ]
    assert record.verify() == []
    for path in files_of(folder, names[1]):
        with open(path, "r+b") as file:
            file.truncate(int(os.path.getsize(path) * kept))

    assert "cannot be read" in record.verify()[0]


@pytest.fixture
def half_renamed(tmp_path, runtime, make_model):
    """A TensorFlow checkpoint as a kill may leave it that overwrites one.

    Its data are under the name for one more file, and its index says so.
    """
    if not runtime.can_write(Format.TF_CHECKPOINT):
        pytest.skip("cannot write a TensorFlow checkpoint")
    runtime.save(make_model(), str(tmp_path / "c"), Format.TF_CHECKPOINT)
    put_on_list(tmp_path, "c", Format.TF_CHECKPOINT)
    index = tmp_path / "c.index"
    index.write_bytes(with_shards(index.read_bytes(), 2))
    data = tmp_path / "c.data-00000-of-00001"
    os.rename(data, tmp_path / "c.data-00000-of-00002")
    return tmp_path


def test_a_kill_within_a_renaming_is_no_damage(half_renamed, make_model):
    """The checkpoint is whole, and loaded without a warning."""
    [record] = checkpoints(half_renamed)

    assert record.verify() == []
    kerascb.load_latest(half_renamed, make_model())


@pytest.mark.parametrize("name", ["c.index", "c.data-00000-of-00002"])
def test_damage_is_noticed_within_a_renaming_too(half_renamed, name):
    """Every byte of it, but for the count that is changed."""
    [record] = checkpoints(half_renamed)
    path = half_renamed / name
    unnoticed = [
        position
        for position in _flips(path, range(os.path.getsize(path)))
        if not record.verify()
    ]

    assert unnoticed == []
