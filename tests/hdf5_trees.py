"""All there is in an HDF5 file, as something to compare."""

from __future__ import annotations

import json

import h5py
import numpy as np

from kerascb.layouts.hdf5 import NOTE_NAME


def tree_of(file):
    """Name → attributes and content of every group and dataset.

    Args:
        file: A path, or a file that is open in memory. What kerascb itself
            keeps there is left out.
    """
    with h5py.File(file, "r") as opened:
        names = ["/"]
        opened.visit(names.append)
        return {
            name: (_attributes(opened[name]), _content(opened[name]))
            for name in names
            if name != NOTE_NAME
        }


def _attributes(item):
    return {name: _readable(value) for name, value in item.attrs.items()}


def _readable(value):
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    text = value.decode() if isinstance(value, bytes) else value
    if isinstance(text, str) and text.startswith("{"):
        return type(value), json.loads(text)
    return type(value), text


def _content(item):
    if not isinstance(item, h5py.Dataset):
        return None
    stored = item.id.get_type()
    return stored.encode(), item.shape, np.asarray(item).tobytes()
