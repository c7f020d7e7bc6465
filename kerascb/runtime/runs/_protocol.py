"""What kerascb asks of a Keras about the state of a run.

Part of the `Runtime` Protocol, kept apart because only backups ask.
`runs3.py` and `runs2.py` answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Runs(Protocol):
    """Reads and sets what a `fit` changes."""

    def run_variables(self, model: Any) -> dict[str, Any]:
        """Every variable that training changes: name → variable.

        Those of the layers, trainable or not, and of the generators of
        random numbers in them, of the metrics, of every optimizer. What is
        shared is there once. Values are up to date and may be set.

        A name says where a variable is: `dense_1/kernel`,
        `optimizer/adam/momentum/dense_1/kernel`. Names and their order are
        the same whenever the same code makes the model, however many models a
        process has made before and whatever numbers Keras gives to layers
        without a name.

        Args:
            model: The model being trained. What is not built has no variables
                yet; see `build`.
        """

    def metric_names(self, model: Any) -> set[str]:
        """Names of the `run_variables` that `fit` resets with every epoch."""

    def give_generators(self, model: Any) -> None:
        """Has layers draw from generators whose state can be saved.

        Keras 2's `Dropout` and its like draw from TensorFlow's operations,
        unless `enable_tf_random_generator` was called. What state those have,
        nobody can read; with generators of their own, the layers draw other
        numbers than without, of the same distribution. In Keras 3 every layer
        has such a generator.

        Args:
            model: The model whose `fit` is about to begin; built if need be,
                since some layers make others when they are built.
        """

    def build(self, model: Any) -> bool:
        """Makes the variables that a model will have after its first step.

        A model that is not built is built for the data of the `fit` that is
        running; metrics, losses and optimizers are too. No batch is taken
        from the data, and no variable is changed.

        Args:
            model: The model being trained, as the callback was given it.

        Returns:
            Whether all variables are there now.
        """

    def finalize_layers(self, model: Any) -> None:
        """Has layers make anew what they have made of their variables.

        `Normalization` and its like compute constants of what `adapt` has
        found; Keras does this when it has loaded weights.

        Args:
            model: The model, whose variables have been set.
        """

    def random_state(self) -> dict[str, Any]:
        """The state of the generators of random numbers that all code shares.

        Python's, NumPy's, Keras's, and those of the engines that this
        process has imported. A dict of JSON values, arrays and such dicts.
        """

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """Continues with the random numbers that would have come then.

        Args:
            state: What `random_state` returned, in this process or another.
                What this process has not imported, or keeps in another way,
                is passed over.
        """
