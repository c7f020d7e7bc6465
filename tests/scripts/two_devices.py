"""Freezes and restores a model that two devices train; prints what was seen.

The engine has to be told of the devices before it is loaded.
"""

from __future__ import annotations

import importlib
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import numpy as np

import kerascb
from kerascb import runtime as runtimes


def devices_of_tensorflow():
    """Two, and a scope in which models are kept on both."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


def devices_of_jax():
    """Two, and a scope in which kernels are split between them."""
    from keras import distribution

    mesh = distribution.DeviceMesh((1, 2), ("batch", "model"))
    layout = distribution.LayoutMap(mesh)
    layout[".*kernel"] = (None, "model")
    return distribution.ModelParallel(
        layout_map=layout, batch_dim_name="batch"
    ).scope()


def replicas(variable):
    """The value on each of the devices."""
    inner = variable if hasattr(variable, "read_value") else variable.value
    if hasattr(inner, "sharding"):
        return [(inner.sharding, np.asarray(inner))]
    parts = getattr(inner, "_values", [inner])
    return [(one.device, np.array(one.read_value())) for one in parts]


def same(left, right):
    """Whether two lists of place and value are equal."""
    return all(
        one[0] == other[0] and np.array_equal(one[1], other[1])
        for one, other in zip(left, right, strict=True)
    )


def main():
    """Prints a line for each promise."""
    runtime = runtimes.in_force()
    scope = (
        devices_of_jax()
        if runtime.backend == "jax"
        else devices_of_tensorflow()
    )
    keras = importlib.import_module(runtime.package)
    generator = np.random.default_rng(0)
    x, y = generator.random((16, 4), "float32"), generator.random((16, 4))
    with scope:
        model = keras.Sequential(
            [
                keras.layers.Input((4,)),
                keras.layers.Dense(4),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(4),
            ]
        )
        model.compile("adam", "mse")
        model.fit(x, y, verbose=0)
        held = model.optimizer.variables
        state = [*model.variables, *(held() if callable(held) else held)]
        weights = model.get_weights()
        frozen = runtime.freeze(state)
        copies = [np.array(one.array()) for one in frozen]
        print("as read", np.array_equal(frozen[0].array(), weights[0]))
        model.fit(x, y, epochs=2, verbose=0)
        kept = [one.array() for one in frozen]
        print("frozen", all(map(np.array_equal, kept, copies)))
    runtime.thaw(state, frozen)
    print(
        "thawed on all",
        all(
            np.array_equal(value, copy)
            for one, copy in zip(state, copies, strict=True)
            for _, value in replicas(one)
        ),
    )
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    stop.set_model(model)
    stop.on_train_begin()
    there = [replicas(one) for one in model.weights]
    stop.on_epoch_end(0, {"loss": 1.0})
    model.fit(x, y, verbose=0)
    stop.on_epoch_end(1, {"loss": 2.0})
    stop.on_train_end()
    print(
        "restored on all",
        all(map(same, [replicas(one) for one in model.weights], there)),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
