"""Tests of `kerascb.layouts.hdf5`."""

from __future__ import annotations

import io

import h5py
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerascb.layouts.hdf5 import NOTE_NAME, Hdf5Skeleton
from kerascb.layouts.plan import NotPlannable
from tests.hdf5_trees import tree_of

VALUES = arrays.arrays(
    st.sampled_from(["f4", "f8", "f2", "?", "i1", "u2", "i4", "u8", "c8"]),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


def raw(value):
    return memoryview(value.tobytes())


def written(skeleton, values=(), note=b""):
    layout = skeleton.finish()
    return io.BytesIO(b"".join(layout.render(list(map(raw, values)), note)))


def by_h5py(values):
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        for index, value in enumerate(values):
            opened[f"group/{index}"] = value
    return file


def by_put(values):
    skeleton = Hdf5Skeleton()
    for index, value in enumerate(values):
        skeleton.put(skeleton.file, f"group/{index}", value)
    return written(skeleton)


def by_skeleton(values):
    skeleton = Hdf5Skeleton()
    for index, value in enumerate(values):
        skeleton.reserve(
            skeleton.file,
            f"group/{index}",
            value.shape,
            value.dtype,
            index=index,
        )
    return written(skeleton, values)


@given(st.lists(VALUES, max_size=6))
def test_holds_what_h5py_writes(values):
    """Any shape and type comes out as h5py stores the array itself."""
    assert tree_of(by_skeleton(values)) == tree_of(by_h5py(values))


@given(st.lists(VALUES, max_size=6))
def test_puts_what_h5py_writes(values):
    """An array that is put there comes out as h5py stores it."""
    assert tree_of(by_put(values)) == tree_of(by_h5py(values))


def test_what_was_put_is_a_copy():
    """An array that changes afterwards does not change the file."""
    skeleton = Hdf5Skeleton()
    value = np.zeros((2, 3)).T
    skeleton.put(skeleton.file, "value", value)
    value += 1

    with h5py.File(written(skeleton)) as file:
        assert not file["value"][:].any()


@pytest.mark.parametrize(
    "dtype", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.int4]
)
def test_types_that_numpy_lacks(dtype):
    """What ml_dtypes adds is stored as h5py stores it."""
    values = [np.arange(6).astype(dtype).reshape(2, 3)]
    assert tree_of(by_skeleton(values)) == tree_of(by_h5py(values))


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e5m2, "U3", object])
def test_types_that_hdf5_has_no_place_for(dtype):
    """What h5py cannot store is refused before there is a file."""
    skeleton = Hdf5Skeleton()
    with pytest.raises(TypeError):
        skeleton.reserve(skeleton.file, "value", (2,), dtype, index=0)


def test_what_is_written_through_the_file_stays():
    """Attributes, text and arrays stand beside the places."""
    skeleton = Hdf5Skeleton()
    group = skeleton.file.create_group("group")
    group.attrs["name"] = "dense"
    group.attrs["long"] = "x" * 100_000
    group["small"] = np.arange(3)
    dataset = skeleton.reserve(group, "value", (2,), "float32", index=0)
    dataset.attrs["dtype"] = "bfloat16"

    with h5py.File(written(skeleton, [np.ones(2, "float32")])) as file:
        assert file["group"].attrs["name"] == "dense"
        assert file["group"].attrs["long"] == "x" * 100_000
        assert file["group/small"][:].tolist() == [0, 1, 2]
        assert file["group/value"].attrs["dtype"] == "bfloat16"
        assert file["group/value"][:].tolist() == [1.0, 1.0]


def test_values_are_handed_on_uncopied():
    """A value is yielded as the view that was given."""
    skeleton = Hdf5Skeleton()
    skeleton.reserve(skeleton.file, "value", (100,), "uint8", index=0)
    value = memoryview(bytes(100))

    assert any(
        piece is value for piece in skeleton.finish().render([value], b"")
    )


def test_a_value_may_have_several_places():
    """Two datasets of one index hold the same value."""
    skeleton = Hdf5Skeleton()
    for name in ("first", "second"):
        skeleton.reserve(skeleton.file, name, (3,), "int32", index=0)

    with h5py.File(written(skeleton, [np.arange(3, dtype="int32")])) as file:
        assert file["first"][:].tolist() == file["second"][:].tolist()


def test_a_value_of_another_size_is_refused():
    """A file is not shifted by a value that does not fit."""
    skeleton = Hdf5Skeleton()
    skeleton.reserve(skeleton.file, "value", (3,), "float32", index=0)

    with pytest.raises(ValueError, match=r"has 16 bytes; its place.*has 12"):
        written(skeleton, [np.ones(4, "float32")])


@pytest.mark.parametrize("note", [b"", b'{"epoch": 3}', b"x" * 50])
def test_the_note_is_padded_with_spaces(note):
    """JSON with spaces after it is the same JSON."""
    skeleton = Hdf5Skeleton()
    skeleton.reserve_note(50)

    with h5py.File(written(skeleton, note=note)) as file:
        assert file[NOTE_NAME][:].tobytes() == note.ljust(50)


@pytest.mark.parametrize("name", [NOTE_NAME, f"{NOTE_NAME}/inner"])
def test_the_note_takes_nobodys_place(name):
    """A layer may have its name, or one that goes on from it."""
    skeleton = Hdf5Skeleton()
    skeleton.file.create_group(name)

    with pytest.raises(NotPlannable, match=f"'{NOTE_NAME}'"):
        skeleton.reserve_note(16)


def test_a_note_longer_than_its_place_is_refused():
    """The message says how long it may be."""
    skeleton = Hdf5Skeleton()
    skeleton.reserve_note(50)

    with pytest.raises(ValueError, match=r"51 bytes; its place.*has 50"):
        written(skeleton, note=bytes(51))


def test_the_same_calls_make_the_same_bytes():
    """No clock is written into the file."""
    values = [np.arange(5), np.ones((2, 2))]
    assert by_skeleton(values).getvalue() == by_skeleton(values).getvalue()


def test_places_above_4_gb(tmp_path):
    """12 GB of holes: no memory is taken, and h5py reads across them."""
    skeleton = Hdf5Skeleton()
    elements = 2**30 + 5
    for index in range(3):
        skeleton.reserve(
            skeleton.file, str(index), (elements,), "float32", index=index
        )
    path = tmp_path / "large.h5"
    with path.open("wb") as file:
        for part in skeleton.finish().parts:
            if isinstance(part, bytes):
                file.write(part)
            else:
                file.seek(part.size - 4, io.SEEK_CUR)
                file.write(np.float32(part.index + 1).tobytes())

    with h5py.File(path) as file:
        ends = [float(file[str(index)][-1]) for index in range(3)]
        assert ends == [1.0, 2.0, 3.0]
        assert float(file["2"][0]) == 0.0
