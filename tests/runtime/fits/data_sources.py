"""Sources of data of every kind that a `fit` takes, made anew at each call.

Ten samples, whose values are their numbers, in batches of three.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from kerascb import runtime as runtimes

SIZE, BATCH, STEPS = 10, 3, 4


def _has(package):
    return importlib.util.find_spec(package) is not None


def _samples():
    x = np.arange(SIZE, dtype="float32")[:, None]
    return x, x / SIZE


def arrays(**arguments):
    """NumPy arrays."""
    x, y = _samples()
    return {"x": x, "y": y, "batch_size": BATCH, **arguments}


def _dataset(make=lambda dataset: dataset):
    import tensorflow as tf

    dataset = make(tf.data.Dataset.from_tensor_slices(_samples()))
    return dataset.batch(BATCH).prefetch(2)


def tf_plain():
    """A dataset of TensorFlow in its own order."""
    return {"x": _dataset()}


def tf_shuffled(seed=3, **arguments):
    """Shuffled anew in every pass."""
    return {"x": _dataset(lambda data: data.shuffle(SIZE, seed, **arguments))}


def tf_shuffled_by_global_seed():
    """Shuffled without a seed of its own."""
    return tf_shuffled(seed=None)


def tf_shuffled_once():
    """Shuffled, every pass in the same order."""
    return tf_shuffled(reshuffle_each_iteration=False)


def tf_parallel_noise():
    """Random operations that run side by side."""
    import tensorflow as tf

    def noise(x, y):
        return x + tf.random.uniform(tf.shape(x), seed=4), y

    return {"x": _dataset(lambda data: data.map(noise, num_parallel_calls=2))}


def tf_fast():
    """A dataset that gives up a fixed order."""
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = False
    return {"x": tf_plain()["x"].with_options(options)}


def tf_unseeded():
    """Shuffled without any seed, whatever the program has set."""
    import tensorflow as tf
    from tensorflow.python.eager import context

    seed = context.global_seed()
    context.context()._seed = None
    found = tf_shuffled(seed=None)
    tf.random.set_seed(seed)
    return found


def tf_shuffled_twice_a_pass():
    """Two orders a pass, the second of which begins within it."""
    return {"x": _dataset(lambda data: data.shuffle(SIZE, 3).repeat(2))}


def tf_cached():
    """The first pass decides on the order of all."""
    return {"x": _dataset(lambda data: data.shuffle(SIZE, 3).cache())}


def tf_endless():
    """A stream that does not end with an epoch."""
    make = lambda data: data.shuffle(SIZE, 3).repeat()  # noqa: E731
    return {"x": _dataset(make), "steps_per_epoch": STEPS}


def tf_unknown_length():
    """A dataset whose number of batches nobody knows beforehand."""
    make = lambda data: data.filter(lambda *_: True).shuffle(SIZE, 3)  # noqa: E731
    return {"x": _dataset(make)}


def tf_noisy():
    """Random operations with a seed, in a map."""
    import tensorflow as tf

    def noise(x, y):
        return x + tf.random.uniform(tf.shape(x), seed=4), y

    return {"x": _dataset(lambda data: data.map(noise))}


def tf_own_generator():
    """Random numbers from a generator that goes on over the passes."""
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(4)

    def noise(x, y):
        return x + generator.uniform(tf.shape(x)), y

    return {"x": _dataset(lambda data: data.map(noise))}


def tf_indices():
    """`kerascb.data.indices`."""
    import tensorflow as tf

    import kerascb

    x, y = map(tf.constant, _samples())
    order = kerascb.data.indices(SIZE, BATCH, seed=5)
    return {"x": order.map(lambda i: (tf.gather(x, i), tf.gather(y, i)))}


def tf_indices_rebatched():
    """`kerascb.data.indices`, whose batches are put together anew."""
    import tensorflow as tf

    found = tf_indices()
    return {
        "x": found["x"]
        .unbatch()
        .batch(BATCH)
        .apply(tf.data.experimental.assert_cardinality(STEPS))
    }


def _py_dataset(on_epoch_end=None, **arguments):
    base = runtimes.in_force().py_dataset
    x, y = _samples()

    class Source(base):
        """Batches by index, of an order that may change."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.order = np.arange(SIZE)
            self.generator = np.random.default_rng(7)

        def __len__(self):
            return STEPS

        def __getitem__(self, index):
            chosen = self.order[index * BATCH : (index + 1) * BATCH]
            return x[chosen], y[chosen]

        def on_epoch_end(self):
            if on_epoch_end is not None:
                on_epoch_end(self)

    return {"x": Source(**arguments)}


def py_shuffled_by_keras():
    """Keras shuffles the batches."""
    return _py_dataset()


def py_plain():
    """In the order of the source."""
    return {**_py_dataset(), "shuffle": False}


def py_own_generator():
    """The source shuffles itself, with a generator of its own."""
    return _py_dataset(lambda self: self.generator.shuffle(self.order))


def py_numpy_state():
    """The source shuffles itself, with NumPy's shared generator."""
    return {
        **_py_dataset(lambda self: np.random.shuffle(self.order)),
        "shuffle": False,
    }


def py_workers():
    """Threads load the batches."""
    if runtimes.in_force().name == "keras2":
        return {**_py_dataset(), "workers": 2, "shuffle": False}
    return _py_dataset(workers=2)


def py_indexed(**arguments):
    """`kerascb.data.IndexedBatches`."""
    import kerascb

    x, y = _samples()
    return {
        "x": kerascb.data.IndexedBatches(
            lambda i: (x[i], y[i]), SIZE, BATCH, seed=5
        ),
        "shuffle": False,
        **arguments,
    }


def py_indexed_workers():
    """`kerascb.data.IndexedBatches`, loaded by threads."""
    import kerascb

    x, y = _samples()
    load = lambda i: (x[i], y[i])  # noqa: E731
    return {
        "x": kerascb.data.IndexedBatches(load, SIZE, BATCH, workers=2),
        "shuffle": False,
    }


def endless_generator():
    """A Python generator, which goes on over the epochs."""
    x, y = _samples()

    def generate():
        generator = np.random.default_rng(8)
        while True:
            chosen = generator.integers(SIZE, size=BATCH)
            yield x[chosen], y[chosen]

    return {"x": generate(), "steps_per_epoch": STEPS}


def _loader(cls=None, **arguments):
    import torch

    cls = cls or torch.utils.data.DataLoader
    data = torch.utils.data.TensorDataset(*map(torch.tensor, _samples()))
    return {"x": cls(data, batch_size=BATCH, **arguments), "shuffle": False}


def loader_plain():
    """A `DataLoader` of torch in the order of its data."""
    return _loader()


def loader_shuffled():
    """A `DataLoader` that shuffles with torch's shared generator."""
    import torch

    torch.manual_seed(3)  # which Keras on JAX leaves alone
    return _loader(shuffle=True)


def loader_own_generator():
    """A `DataLoader` with a generator of its own."""
    import torch

    return _loader(shuffle=True, generator=torch.Generator().manual_seed(3))


def loader_stateful():
    """A `StatefulDataLoader`."""
    from torchdata.stateful_dataloader import StatefulDataLoader

    return _loader(StatefulDataLoader, shuffle=True)


def grain_shuffled():
    """A dataset of Grain."""
    import grain

    x, y = _samples()
    source = grain.MapDataset.range(SIZE).seed(3).shuffle()
    data = source.map(lambda i: (x[i], y[i])).batch(BATCH)
    return {"x": data, "shuffle": False, "steps_per_epoch": None}


def grain_endless():
    """A dataset of Grain that goes on over the epochs."""
    import grain

    x, y = _samples()
    source = grain.MapDataset.range(SIZE).seed(3).shuffle().repeat()
    data = source.map(lambda i: (x[i], y[i])).batch(BATCH)
    return {
        "x": data.to_iter_dataset(),
        "shuffle": False,
        "steps_per_epoch": STEPS,
    }


def arrays_plain():
    """NumPy arrays in their own order."""
    return arrays(shuffle=False)


def arrays_shuffled():
    """NumPy arrays, shuffled by Keras."""
    return arrays(shuffle=True)


def arrays_shuffled_in_batches():
    """NumPy arrays, each batch of which Keras shuffles."""
    return arrays(shuffle="batch")


def arrays_over_epochs():
    """NumPy arrays, of which an epoch sees a part."""
    return arrays(shuffle=False, steps_per_epoch=2)


def sources():
    """Those that the runtime in force takes and can go on with, by name."""
    runtime = runtimes.in_force()
    found = [
        arrays_plain, arrays_shuffled, arrays_shuffled_in_batches,
        py_shuffled_by_keras, py_plain, py_own_generator, py_numpy_state,
        py_indexed, endless_generator,
    ]  # fmt: skip
    if runtime.backend == "tensorflow":
        found += [py_workers, tf_own_generator]
        if runtime.name == "keras3":
            found.append(py_indexed_workers)
    if _has("tensorflow"):
        found += [
            tf_plain, tf_shuffled, tf_shuffled_by_global_seed, tf_shuffled_once,
            tf_shuffled_twice_a_pass, tf_cached, tf_endless,
            tf_unknown_length, tf_noisy, tf_indices,
            tf_indices_rebatched,
        ]  # fmt: skip
    if _has("torch") and runtime.name == "keras3":
        found += [loader_plain, loader_shuffled, loader_own_generator]
        if _has("torchdata") and runtime.backend == "torch":
            found.append(loader_stateful)
    if _has("grain") and runtime.name == "keras3":
        found += [grain_shuffled, grain_endless]
    return {one.__name__: one for one in found}


def sources_without_a_known_order():
    """Those whose order nobody can have again."""
    found = []
    if _has("tensorflow"):
        found += [tf_unseeded, tf_parallel_noise, tf_fast]
    if runtimes.in_force().backend != "tensorflow":
        found.append(py_workers)
    return {one.__name__: one for one in found}
