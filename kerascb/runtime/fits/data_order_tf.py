"""What the order of a `tf.data.Dataset` depends on, read off the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits.data_order import Order, Past
from kerascb.runtime.fits.source_state import POSITION

if TYPE_CHECKING:
    from collections.abc import Iterator

# Which begin their inputs when they begin themselves, and each of them once: a
# pass that is begun and left has taken the same seeds as a whole one.
_BEGINS_INPUT_ONCE = frozenset(
    {
        "AssertCardinality", "Batch", "Enumerate", "Filter", "FlatMap",
        "Interleave", "Map", "Options", "PaddedBatch", "ParallelBatch",
        "ParallelInterleave", "ParallelMap", "Prefetch", "Rebatch", "Scan",
        "Shard", "Shuffle", "Skip", "Take", "TakeWhile", "Unbatch", "Unique",
        "Window", "Zip",
    }
)  # fmt: skip
_KEEPS_COUNT = frozenset(
    {
        "AssertCardinality", "Enumerate", "Map", "Options", "ParallelMap",
        "Prefetch", "Scan",
    }
)  # fmt: skip
_UNSEEDED = (
    "it is shuffled without a seed; pass shuffle(…, seed=1), or call "
    "keras.utils.set_random_seed before the dataset is made"
)
_UNSEEDED_ARRAYS = (
    "TensorFlow shuffles arrays without a seed; call "
    "keras.utils.set_random_seed before fit, or use kerascb.data"
)
_RACES = (
    "it gives up a fixed order for speed (deterministic=False, or random "
    "operations in a parallel map)"
)


def why_arrays_differ() -> str:
    """Why arrays that a Keras shuffles come in another order every time.

    Returns:
        A clause; nothing if they do not, because there is a seed.
    """
    from tensorflow.python.eager import context

    return _UNSEEDED_ARRAYS if context.global_seed() is None else ""


def order_of(dataset: Any) -> Order:
    """What the order of a dataset depends on.

    What Python functions in it draw from is not looked into: they are taken to
    do the same in every pass.

    Args:
        dataset: A `tf.data.Dataset`; of what is distributed already nothing is
            known.
    """
    if not hasattr(dataset, "_inputs"):
        return Order()
    found = list(_walk(dataset, begins_once=True))
    orders = [_of_node(node, once) for node, once in found]
    if _is_indeterminate(dataset):
        orders.append(Order(unknown=_RACES))
    return Order(
        max(order.past for order in orders),
        next((order.unknown for order in orders if order.unknown), ""),
        any(order.counts_read_ahead for order in orders),
    )


def position_in(dataset: Any) -> tuple[Any, bool]:
    """The part of a dataset that can be asked where it is.

    Args:
        dataset: A `tf.data.Dataset`.

    Returns:
        That part, or `None`; and whether each of its elements makes one batch
        of the dataset.
    """
    keeps = True
    while hasattr(dataset, "_inputs"):
        position = vars(dataset).get(POSITION)
        if position is not None:
            return position, keeps
        inputs = dataset._inputs()
        keeps = keeps and _kind(dataset) in _KEEPS_COUNT
        if len(inputs) != 1:
            break
        dataset = inputs[0]
    return None, False


def _walk(dataset: Any, *, begins_once: bool) -> Iterator[tuple[Any, bool]]:
    """Every dataset in one, and whether a pass begins it once, at once."""
    yield dataset, begins_once
    if POSITION in vars(dataset):
        return  # it says itself where it is
    begins_once = begins_once and _kind(dataset) in _BEGINS_INPUT_ONCE
    for one in dataset._inputs():
        yield from _walk(one, begins_once=begins_once)


def _kind(dataset: Any) -> str:
    return type(dataset).__name__.strip("_").removesuffix("Dataset")


def _of_node(dataset: Any, begins_once: bool) -> Order:
    past = Past.COUNT if begins_once else Past.BATCHES
    kind = _kind(dataset)
    if kind in {"Shuffle", "Random"}:
        unknown = "" if _has_seed(dataset) else _UNSEEDED
        again = getattr(dataset, "_reshuffle_each_iteration", None)
        if again is None:
            again = kind == "Shuffle"
        return Order(past if again else Past.NOTHING, unknown)
    operations = _random_operations(dataset)
    if not operations:
        return Order()
    if kind.startswith("Parallel"):
        return Order(unknown=_RACES)
    if not all(map(_operation_has_seed, operations)):
        return Order(unknown=_UNSEEDED)
    # A generator of TensorFlow is a variable, and goes on over all passes.
    goes_on = any("Rng" in one.type for one in operations)
    past = Past.BATCHES if goes_on else Past.NOTHING
    return Order(past, counts_read_ahead=goes_on)


def _has_seed(dataset: Any) -> bool:
    return any(
        int(getattr(dataset, name, 0)) != 0 for name in ("_seed", "_seed2")
    )


def _is_indeterminate(dataset: Any) -> bool:
    if dataset.options().deterministic is False:
        return True
    return any(
        str(getattr(node, "_deterministic", "")).lower() == "false"
        for node, _ in _walk(dataset, begins_once=True)
    )


def _random_operations(dataset: Any) -> list[Any]:
    """The operations in a dataset's function that draw random numbers."""
    function = getattr(getattr(dataset, "_map_func", None), "function", None)
    graph = getattr(function, "graph", None)
    if graph is None:
        return []
    return [
        one
        for one in graph.get_operations()
        if one.op_def.is_stateful
        and ("Random" in one.type or "Rng" in one.type)
    ]


def _operation_has_seed(operation: Any) -> bool:
    names = {attribute.name for attribute in operation.op_def.attr}
    if "seed" not in names:
        return True
    return any(
        operation.get_attr(name) != 0
        for name in ("seed", "seed2")
        if name in names
    )
