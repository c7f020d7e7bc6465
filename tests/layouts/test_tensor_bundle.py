"""Tests of `kerascb.layouts.tensor_bundle`, against TensorFlow's own files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerascb.layouts import tensor_bundle
from kerascb.layouts.sstable import table
from kerascb.layouts.tensor_bundle import (
    NOTE_KEY,
    EncodedStrings,
    Tensor,
    bundle,
    checkpoint_state,
    data_suffix,
    shards_of,
    with_shards,
)

tf = pytest.importorskip("tensorflow")

DATA = data_suffix(0, 1)
TYPES = [
    *("float32", "float64", "float16", "bfloat16", "complex64", "complex128"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "bool", "float8_e5m2", "float8_e4m3fn"),
]


@pytest.fixture
def by_tensorflow(tmp_path):
    """Has TensorFlow save tensors; gives the contents of data and index."""

    def save(tensors):
        prefix = str(tmp_path / "stock")
        tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=list(tensors.values()),
        )
        return {
            name: (tmp_path / f"stock{name}").read_bytes()
            for name in (DATA, ".index")
        }

    return save


@pytest.fixture
def read(tmp_path):
    """Has TensorFlow open a checkpoint that is made of contents."""

    def read(files):
        for name, content in files.items():
            (tmp_path / f"ours{name}").write_bytes(content)
        return tf.train.load_checkpoint(str(tmp_path / "ours"))

    return read


def rendered(tensors, note=b""):
    """The files we make of tensors, as a bundle of values."""
    places, values = [], []
    for key, tensor in tensors.items():
        shape, array = tuple(tensor.shape), tensor.numpy()
        if tensor.dtype == tf.string:
            strings = np.asarray(array, object).reshape(-1).tolist()
            content = EncodedStrings.of(strings)
        else:
            content = len(values)
            values.append(memoryview(array.tobytes()))
        places.append(Tensor(key, tensor.dtype.name, shape, content))
    return {
        name: b"".join(layout.render(values, note))
        for name, layout in bundle(places).items()
    }


@pytest.mark.parametrize("shape", [(), (3, 2), (0, 4)], ids=str)
@pytest.mark.parametrize("dtype", TYPES)
def test_equal_to_tensorflows_own(by_tensorflow, dtype, shape):
    """Every type of number, of every rank, is laid out byte for byte so."""
    numbers = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    tensors = {
        "b/.ATTRIBUTES/VARIABLE_VALUE": tf.cast(numbers, dtype),
        "a": tf.constant(7),
    }

    assert rendered(tensors) == by_tensorflow(tensors)


@pytest.mark.parametrize(
    "strings",
    ["", "one", [], ["a", "", "b" * 300], [["ä", "ö"], ["ü", "\0"]]],
    ids=str,
)
def test_strings(by_tensorflow, strings):
    """Strings of any length, in tensors of any rank."""
    tensors = {"words": tf.constant(strings, tf.string), "z": tf.constant(1.0)}

    assert rendered(tensors) == by_tensorflow(tensors)


def test_thousands_of_keys(by_tensorflow):
    """An index of several blocks, its keys in the data's own order."""
    keys = [
        f"layer-{layer}/kernel-{number}/.ATTRIBUTES/VARIABLE_VALUE"
        for layer in range(100)
        for number in range(80)
    ]
    tensors = {key: tf.constant(i) for i, key in enumerate(keys[::-1])}

    ours = rendered(tensors)

    assert ours == by_tensorflow(tensors)
    assert len(ours[".index"]) > 300_000


@settings(max_examples=50, deadline=None)
@given(keys=st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_any_keys(tmp_path_factory, keys):
    """Whatever keys share and wherever they part."""
    prefix = str(tmp_path_factory.getbasetemp() / "any")
    tensors = {key: tf.constant(1) for key in keys}
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=[key.encode() for key in keys],
        shape_and_slices=[""] * len(keys),
        tensors=list(tensors.values()),
    )

    with open(f"{prefix}.index", "rb") as index:
        assert rendered(tensors)[".index"] == index.read()


def test_note(read):
    """It is a string that others pass over; all else is as without it."""
    tensors = {"x": tf.constant([1.0, 2.0]), "a": tf.constant(["s"])}

    files = rendered(tensors, b'{"kerascb": 1}')

    reader = read(files)
    assert reader.get_tensor(NOTE_KEY) == b'{"kerascb": 1}'
    assert reader.get_tensor("x").tolist() == [1.0, 2.0]
    assert files[DATA].startswith(rendered(tensors)[DATA])


def test_without_a_note():
    """The names go on behind the prefix; nothing is added."""
    files = bundle([Tensor("x", "int8", (1,), b"\1")], "v/v")

    assert list(files) == [f"v/v{DATA}", "v/v.index"]
    assert b"".join(files[f"v/v{DATA}"].render([], b"")) == b"\1"


def test_values_are_passed_on_as_they_are():
    """What may be large is not copied."""
    value = memoryview(bytes(8))
    layout = bundle([Tensor("x", "float32", (2,), 0)])[DATA]

    (piece,) = layout.render([value], b"")

    assert piece is value


@pytest.mark.parametrize("name", [DATA, ".index"])
def test_value_of_another_size(name):
    """A value that does not fit ends the save, and is named."""
    layout = bundle([Tensor("x", "float32", (3,), 0)])[name]

    with pytest.raises(ValueError, match=r"'x' has 8 bytes; .* has 12"):
        list(layout.render([memoryview(bytes(8))], b""))


def test_beyond_4_gigabytes(tmp_path, monkeypatch):
    """What lies behind so much is found."""
    size = 2**32 + 5
    files = bundle(
        [
            Tensor("large", "uint8", (size,), 0),
            Tensor("last", "int16", (2,), b"\1\0\2\0"),
        ]
    )
    summed = tensor_bundle.crc32c
    monkeypatch.setattr(
        tensor_bundle, "crc32c", lambda data: summed(bytes(data[:4]))
    )
    (index,) = files[".index"].render([range(size)], b"")
    (tmp_path / "large.index").write_bytes(index)
    with (tmp_path / f"large{DATA}").open("wb") as data:
        data.seek(size)  # the file has a hole
        data.write(b"\1\0\2\0")

    reader = tf.train.load_checkpoint(str(tmp_path / "large"))

    assert reader.get_tensor("last").tolist() == [1, 2]


class TestShards:
    """The same index, for data files of other names."""

    @pytest.fixture
    def files(self, by_tensorflow):
        """TensorFlow's own, of enough keys for several blocks."""
        return by_tensorflow(
            {f"key-{i}" + 200 * "x": tf.constant(i) for i in range(6000)}
        )

    def test_counted(self, files):
        """TensorFlow names its only one `-of-00001`."""
        assert shards_of(files[".index"]) == 1

    def test_read_by_tensorflow(self, files, read):
        """A second data file that is not there is not missed."""
        index = with_shards(files[".index"], 2)

        reader = read({".index": index, data_suffix(0, 2): files[DATA]})

        assert reader.get_tensor("key-4711" + 200 * "x") == 4711
        assert shards_of(index) == 2

    def test_back_again(self, files):
        """Nothing else in the index changes."""
        other = with_shards(files[".index"], 2)

        assert with_shards(other, 1) == files[".index"] != other

    @pytest.mark.parametrize("shards", [0, 128])
    def test_too_many(self, files, shards):
        """The number has its one byte in the index."""
        with pytest.raises(ValueError, match=f"got {shards}"):
            with_shards(files[".index"], shards)

    @pytest.mark.parametrize(
        "content", [b"", b"{}", bytes(100), table([(b"a", b"b")])], ids=len
    )
    def test_no_index(self, content):
        """Another file is told apart."""
        with pytest.raises(ValueError, match="index"):
            shards_of(content)


@pytest.mark.parametrize(
    "name", ["cp", "cp-01.5", 'with "quotes"', "back\\slash", "Gewichte-ä", "'"]
)
def test_checkpoint_state(tmp_path, name):
    """TensorFlow finds the checkpoint that is noted as the newest."""
    prefix = str(tmp_path / name)
    (tmp_path / "checkpoint").write_bytes(checkpoint_state(prefix))

    state = tf.train.get_checkpoint_state(str(tmp_path))

    assert state.model_checkpoint_path == prefix
    assert list(state.all_model_checkpoint_paths) == [prefix]


def test_checkpoint_state_as_tensorflow_writes_it(tmp_path):
    """The same bytes, where nothing has to be escaped."""
    prefix = str(tmp_path / "cp-3")

    tf.__internal__.train.update_checkpoint_state(
        save_dir=str(tmp_path),
        model_checkpoint_path=prefix,
        save_relative_paths=True,
        all_model_checkpoint_paths=[prefix],
    )

    written = (tmp_path / "checkpoint").read_bytes()
    assert checkpoint_state(prefix) == written
