"""What a model or its weights can be written as."""

from __future__ import annotations

import enum


class Format(enum.Enum):
    """One way to write a model, in words a message can use."""

    KERAS = "a .keras archive"
    HDF5 = "a whole model in one HDF5 file"
    SAVED_MODEL = "a SavedModel directory"
    WEIGHTS = "a .weights.h5 file"
    HDF5_WEIGHTS = "an HDF5 file of weights, as Keras 2 lays them out"
    TF_CHECKPOINT = "a TensorFlow checkpoint"
    OWN = "whatever the model's own `save` writes"
    OWN_WEIGHTS = "whatever the model's own `save_weights` writes"

    @property
    def is_weights(self) -> bool:
        """Whether it holds weights only, not the model they belong to."""
        return self in _WEIGHTS

    @property
    def is_one_file(self) -> bool:
        """Whether it is one file, under the very path that was given."""
        return self in _ONE_FILE

    def takes_options(self, runtime: str) -> bool:
        """Whether TensorFlow's options of a save have an effect on it.

        Args:
            runtime: The Keras that writes, `"keras2"` or `"keras3"`.
        """
        return self in _WITH_OPTIONS[runtime]

    def gives_back_bfloat16(self, runtime: str) -> bool:
        """Whether Keras can read bfloat16 values that were written to it.

        HDF5 knows no such numbers; they lie there as two bytes each, and only
        the loader of Keras 3's own layout knows what these were.

        Args:
            runtime: The Keras that writes, `"keras2"` or `"keras3"`.
        """
        return not self.is_one_file or (
            runtime == "keras3" and self in _OF_KERAS3
        )


_WEIGHTS = frozenset(
    {
        Format.WEIGHTS,
        Format.HDF5_WEIGHTS,
        Format.TF_CHECKPOINT,
        Format.OWN_WEIGHTS,
    }
)
_ONE_FILE = frozenset(
    {Format.KERAS, Format.HDF5, Format.WEIGHTS, Format.HDF5_WEIGHTS}
)
_OF_KERAS3 = frozenset({Format.KERAS, Format.WEIGHTS})
_WITH_OPTIONS = {
    "keras2": frozenset(
        {
            Format.SAVED_MODEL,
            Format.TF_CHECKPOINT,
            Format.OWN,
            Format.OWN_WEIGHTS,
        }
    ),
    "keras3": frozenset({Format.TF_CHECKPOINT}),
}
