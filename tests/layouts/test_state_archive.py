"""The state of a run as one file."""

import io
import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from kerascb.layouts import state_archive
from kerascb.layouts.sealed_archive import DamagedArchive
from kerascb.layouts.state_archive import NpzLayout, decode, encode, raw, read
from kerascb.runtime import FrozenArray

ml_dtypes = pytest.importorskip("ml_dtypes")

FOREIGN = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"]
TYPES = [
    *("bool", "int8", "uint8", "int16", "int32", "int64", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
    *(">f4", ">i8", "<U3", "|S4", "datetime64[ns]", "timedelta64[s]"),
]


def _foreign(name):
    return np.dtype(getattr(ml_dtypes, name))


@st.composite
def foreign_arrays(draw):
    """Arrays of types that NumPy does not know by itself."""
    kind = _foreign(draw(st.sampled_from(FOREIGN)))
    integers = draw(
        arrays_of.arrays(
            f"u{kind.itemsize}", arrays_of.array_shapes(min_dims=0)
        )
    )
    if "int4" in kind.name:
        return (integers % 8).astype(kind)
    return integers.view(kind)


SHAPES = arrays_of.array_shapes(min_dims=0, min_side=0, max_side=3)
ARRAYS = (
    st.sampled_from(TYPES).flatmap(lambda kind: arrays_of.arrays(kind, SHAPES))
    | foreign_arrays()
)
SCALARS = (
    st.sampled_from([*TYPES, *map(_foreign, FOREIGN[:3])])
    .filter(lambda kind: str(kind)[0] != ">")
    .flatmap(
        lambda kind: (
            arrays_of.arrays(kind, (1,))
            if isinstance(kind, str)
            else st.just(np.ones(1, kind))
        )
    )
    .map(lambda array: array[0])
)
SIMPLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers().map(lambda number: number << 20_000)
    | st.floats()
    | st.text()
)
VALUES = st.recursive(
    SIMPLE | SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=6), inner, max_size=4)
        | st.lists(st.floats(), max_size=5)
        | st.lists(st.integers(), max_size=5)
    ),
    max_leaves=20,
)
STATES = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(["$array", "$$", "a/b"]),
    VALUES,
    max_size=5,
)


def _file(state, note=b""):
    text, arrays = encode(state)
    layout = NpzLayout.of(text, arrays)
    values = [raw(one) for one in arrays.values()]
    return b"".join(layout.render(values, note))


def _back(state):
    return read(io.BytesIO(_file(state)))


def _told(value):
    """A value as something whose equality means equality to the bit."""
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_told, value))
    if isinstance(value, np.ndarray):
        bits = value.tolist() if value.dtype.hasobject else value.tobytes()
        return "array", value.dtype, value.shape, bits
    if isinstance(value, np.generic):
        is_bytes = isinstance(value, np.bytes_)
        bits = bytes(value) if is_bytes else value.tobytes()
        return type(value), value.dtype, bits
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value.hex()
    return type(value), value


@settings(max_examples=300, deadline=None)
@example({"loss": np.float16(math.copysign(math.nan, -1))})
@given(STATES)
def test_everything_comes_back(state):
    """The same values, of the same types, in the same order, to the bit."""
    found = _back(state)

    assert _told(found) == _told(state)
    assert list(found) == list(state)


@settings(max_examples=50, deadline=None)
@given(STATES)
def test_the_text_is_json_for_anybody(state):
    """No NaN and no number that another parser would round."""

    def refuse(word):
        raise AssertionError(word)

    text, _ = encode(state)
    json.loads(text, parse_constant=refuse)


@settings(max_examples=50, deadline=None)
@given(STATES)
def test_numpy_opens_it(state):
    """`np.load` gives every array, without pickle, under its name."""
    _, arrays = encode(state)
    with np.load(io.BytesIO(_file(state))) as file:
        assert set(file.files) == {"state.json", *arrays}
        for name, array in arrays.items():
            assert file[name].tobytes() == array.tobytes()


def test_numpy_opens_the_file_by_its_path(tmp_path):
    """The names say where in the state an array belongs."""
    path = tmp_path / "latest.npz"
    state = {
        "variables": {"dense/kernel": np.ones((2, 3))},
        "all": [np.arange(2)],
    }
    path.write_bytes(_file(state))

    with np.load(path, allow_pickle=False) as file:
        assert file.files == ["state.json", "variables/dense/kernel", "all/0"]
        assert file["variables/dense/kernel"].shape == (2, 3)
        assert json.loads(file["state.json"])["all"] == [{"$array": "all/0"}]


def test_names_that_would_be_the_same():
    """Each array has its own, whatever the keys are."""
    state = {
        "a/b": np.zeros(1),
        "a": {"b": np.ones(1)},
        "\\": np.full(1, 2),
        "\ud800": np.full(1, 3),
        "x" * 300: np.full(1, 4),
        "y" + "x" * 300: np.full(1, 5),
    }

    assert _told(_back(state)) == _told(state)


def test_frozen_values_come_back_as_arrays():
    """Those of strings as well, whose lengths differ."""
    words = np.array([[b"a", b"b\0"]], object)
    state = {
        "w": FrozenArray(np.arange(3, dtype="float32")),
        "b": FrozenArray(np.ones(2, _foreign("bfloat16"))),
        "s": FrozenArray(words),
    }

    found = _back(state)

    assert found["w"].dtype == "float32"
    assert found["b"].dtype == _foreign("bfloat16")
    assert found["s"].tolist() == words.tolist()


def test_types_by_name(monkeypatch):
    """A frozen value says its type in a word, which NumPy may not know yet."""

    class Frozen(FrozenArray):
        dtype = "bfloat16"

    real = np.dtype

    def dtype(kind):
        if kind == "bfloat16":
            raise TypeError(kind)
        return real(kind)

    monkeypatch.setattr("kerascb.layouts.state_json.np.dtype", dtype)
    text, _ = encode({"b": Frozen(np.ones(2, ml_dtypes.bfloat16))})

    assert json.loads(text) == {"b": {"$array": "b", "dtype": "bfloat16"}}


def test_large_values_are_not_copied():
    """The pieces of the file have the memory of the arrays."""
    array = np.zeros(1 << 20)
    text, arrays = encode({"w": array})
    layout = NpzLayout.of(text, arrays)
    pieces = list(layout.render([raw(one) for one in arrays.values()], b""))

    [large] = [piece for piece in pieces if len(piece) == array.nbytes]
    assert np.shares_memory(np.frombuffer(large, np.uint8), array)


@pytest.mark.parametrize(
    "array",
    [np.ones((3, 4)).T, np.arange(10)[::2], np.broadcast_to(1.0, (2, 2))],
    ids=["transposed", "every other", "repeated"],
)
def test_arrays_with_gaps(array):
    """They come back in C order."""
    np.testing.assert_array_equal(_back({"a": array})["a"], array)


def test_arrays_are_aligned():
    """What reads them afterwards need not copy them first."""
    found = _back({"a": np.ones(3, "int8"), "b": np.ones(5)})

    assert all(array.flags.aligned for array in found.values())


def test_the_arrays_that_were_read_can_be_written():
    """They are nobody else's."""
    found = _back({"a": np.zeros(3)})
    found["a"][0] = 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({1, 2}, r"The state\['cb'\]\['seen'\]\[1\] is of a kind .*: set"),
        (object(), "object"),
        (b"bytes", "bytes"),
        (np.array([{}], object), "ndarray of type object"),
        (np.zeros(1, [("a", "f4")]), "ndarray of type"),
        (np.zeros(1, [("a", "f4")])[0], "void of type"),
        ({3: "x"}, r"has the key 3, which is no str"),
        (1j, "complex"),
    ],
)
def test_pain_a_state_with_something_else_in_it(value, told):
    """The error names the place, and what could be there."""
    with pytest.raises(TypeError, match=told) as error:
        encode({"cb": {"seen": [0, value]}})

    assert "NumPy scalars and arrays" in str(error.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_pain_a_byte_that_has_changed(data):
    """Whatever it is a part of, it is one and the same error."""
    content = bytearray(_file({"w": np.arange(40), "epoch": 3, "b": [0.5]}))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(DamagedArchive):
        read(io.BytesIO(content))


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (("state.json", b"[]"),),
        (("state.json", b"{"),),
        (("state.json", b'{"a": {"$array": "a"}}'),),
        (("state.json", b'{"a": {"$new": 1}}'),),
        (("state.json", b"{}"), ("a.npy", b"no array")),
        (("state.json", b"{}"), ("a.npy", b"\x93NUMPY\3\0")),
    ],
)
def test_a_whole_file_of_another_kind(entries):
    """It is refused like a damaged one."""
    layout = state_archive.ZipLayout(entries, is_sealed=True)
    with pytest.raises(DamagedArchive):
        read(io.BytesIO(b"".join(layout.render([], b""))))


def test_a_missing_file(tmp_path):
    """It is an error of the system's, as of any file."""
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.npz")


def test_decode_without_arrays():
    """The text alone is a state, too."""
    assert decode(b'{"a":{"$tuple":[1,{"$int":"-0x10"}]}}', {}) == {
        "a": (1, -16)
    }
