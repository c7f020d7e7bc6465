"""Batches of samples that are loaded by their indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.data._arguments import Plan
from kerascb.runtime import StockPyDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class IndexedBatches(StockPyDataset):
    """Batches of samples, every pass in an order of its own.

    A `keras.utils.PyDataset`; with Keras 2 a `keras.utils.Sequence`:

        def load(indices):
            return x[indices], y[indices]

        batches = kerascb.data.IndexedBatches(load, len(x), 32, seed=1)
        model.fit(batches, shuffle=False)

    The order depends on the seed and on the number of the pass, which
    `on_epoch_end` counts; Keras 3 calls that once before the first epoch, too.

    Pass `shuffle=False` to `fit`. Else Keras also shuffles the batches, with
    Python's random state; a run goes on exactly even so, but loads the
    batches it has seen once more. With Keras 2, pass `workers=1`: with more,
    Keras calls `on_epoch_end` from two threads.

    Args:
        load: Returns a batch for a vector of indices, as `fit` takes it:
            `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
        size: How many samples there are (≥ 1).
        batch_size: How many a batch has (≥ 1).
        seed: What the order is made of (0 ≤ seed < 2⁶³).
        shuffle: False for the order of the indices.
        drop_remainder: Leave out a last batch that is smaller.
        **parallelism: `workers`, `use_multiprocessing` and `max_queue_size` of
            Keras 3's `PyDataset`.

    Raises:
        InvalidArgument: If a number is out of its range.

    Example:
        >>> import kerascb
        >>> letters = np.array(list("abcde"))
        >>> batches = kerascb.data.IndexedBatches(
        ...     lambda i: (letters[i],), 5, 2, shuffle=False
        ... )
        >>> len(batches), "".join(batches[2][0])
        (3, 'e')
    """

    def __init__(
        self,
        load: Callable[[np.ndarray[Any, Any]], Any],
        size: int,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        drop_remainder: bool = False,
        **parallelism: Any,
    ) -> None:
        super().__init__(**parallelism)
        self._load = load
        self._plan = Plan(size, batch_size, seed, shuffle, drop_remainder)
        self._pass = 0
        self._passed = 0
        self._order: tuple[int, np.ndarray[Any, Any]] | None = None
        self._stand_in: Any = None

    def __len__(self) -> int:
        """How many batches a pass has."""
        return self._plan.steps

    def __getitem__(self, index: int) -> Any:
        """A batch of the pass that is under way.

        Args:
            index: Its place in the pass (≥ 0).
        """
        if not 0 <= index < len(self):
            raise IndexError(
                f"A pass has {len(self)} batches; got index={index}."
            )
        if index >= self._passed:
            return self._batch(index)
        # It will be thrown away: any batch will do.
        if self._stand_in is None:
            self._stand_in = self._batch(index)
        return self._stand_in

    def on_epoch_end(self) -> None:
        """Goes to the next pass; Keras calls it."""
        self._pass += 1
        self._passed = 0

    def get_state(self) -> dict[str, int]:
        """Which pass is under way."""
        return {"pass": self._pass}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Goes to a pass.

        Args:
            state: What `get_state` returned.
        """
        self._pass = state["pass"]
        self._passed = 0

    def pass_over(self, batches: int) -> None:
        """Does not load the first batches of this pass; they will not be used.

        Args:
            batches: How many.
        """
        self._passed = batches

    def _batch(self, index: int) -> Any:
        size = self._plan.batch_size
        return self._load(self._indices()[index * size : (index + 1) * size])

    def _indices(self) -> np.ndarray[Any, Any]:
        # Other threads may ask at the same time: at worst two compute it.
        number, known = self._pass, self._order
        if known is not None and known[0] == number:
            return known[1]
        order = np.arange(self._plan.size)
        if self._plan.shuffle:
            order = np.random.default_rng(
                [self._plan.seed, number]
            ).permutation(order)
        self._order = number, order
        return order

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_order": None, "_stand_in": None}
