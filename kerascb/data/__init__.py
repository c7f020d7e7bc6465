"""Data whose order is a function of a seed, the epoch and the step.

A run that is killed goes on with the batch it would have seen next, whatever
has happened before, and no batch that it has seen is loaded again:
`BackupAndRestore` puts such a source where it was.

- `indices`: a `tf.data.Dataset` of the indices of samples, to be mapped to the
  samples;
- `IndexedBatches`: the same as a `keras.utils.PyDataset` (Keras 2: a
  `Sequence`), for every engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerascb.data._indexed_batches import IndexedBatches
    from kerascb.data._indices import indices

__all__ = ["IndexedBatches", "indices"]

_HOMES = {"IndexedBatches": "_indexed_batches", "indices": "_indices"}


def __getattr__(name: str) -> Any:
    # Not at import, which would choose a Keras.
    if name not in _HOMES:
        raise AttributeError(f"module 'kerascb.data' has no attribute {name!r}")
    module = importlib.import_module(f"kerascb.data.{_HOMES[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
