"""Reading what a step has computed, on the backend in force."""

import importlib
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kerascb.runtime import reads
from kerascb.runtime.reads import Arrived, on_numpy

TYPES = ["float16", "bfloat16", "float32", "float64"]


@pytest.fixture(scope="module")
def tensor(runtime):
    """Makes a tensor of the backend."""
    if runtime.backend == "torch":
        import torch

        return lambda value, dtype="float32": torch.tensor(
            value, dtype=getattr(torch, dtype)
        )
    if runtime.backend == "jax":
        import jax.numpy as jnp

        # JAX has float64 only if asked, and warns of it.
        return lambda value, dtype="float32": jnp.asarray(
            value, dtype=None if dtype == "float64" else dtype
        )
    import tensorflow as tf

    return lambda value, dtype="float32": tf.constant(value, dtype=dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_reads_numbers_of_any_type(runtime, tensor, dtype):
    """As what NumPy or Python take for a number."""
    (value,) = runtime.begin_read([tensor(0.5, dtype)]).result()

    assert float(value) == 0.5


@pytest.mark.parametrize("dtype", TYPES)
def test_reads_arrays_of_any_type(runtime, tensor, dtype):
    """A confusion matrix, say."""
    (value,) = runtime.begin_read([tensor([0.5, np.nan], dtype)]).result()

    assert not reads.all_finite(value)


def test_what_is_no_tensor_is_as_it_was(runtime, tensor):
    """Numbers, arrays and text may stand among them."""
    array = np.array([1.0])
    values = [0.5, tensor(1.5), "text", None, array, np.float32(2.5)]
    result = runtime.begin_read(values).result()

    assert result[0] == 0.5
    assert float(result[1]) == 1.5
    assert result[2:] == ["text", None, array, 2.5]


def test_is_ready_at_last(runtime, tensor):
    """What has been waited for can be had at once."""
    read = runtime.begin_read([tensor(0.5)])
    read.result()

    assert read.is_ready()


def test_a_value_written_over_is_read_as_it_was(runtime, keras):
    """A train step may log a variable, which the next one assigns to."""
    if runtime.backend == "jax":
        pytest.skip("logs of JAX hold no variables")
    variable = (
        keras.Variable(1.0).value
        if runtime.name == "keras3"
        else importlib.import_module("tensorflow").Variable(1.0)
    )
    read = runtime.begin_read([variable])
    if runtime.backend == "torch":
        variable.data.fill_(2.0)
    else:
        variable.assign(2.0)

    assert float(read.result()[0]) == 1.0


@pytest.fixture
def elsewhere(tensorflow, monkeypatch):
    """Has TensorFlow's tensors be on a GPU; returns how to compute them."""
    from kerascb.runtime.reads import on_tensorflow

    computed = threading.Event()

    class OnGPU:
        device = "/job:localhost/replica:0/task:0/device:GPU:0"

        def __init__(self, value):
            self._value = value

        def numpy(self):
            assert computed.wait(30)
            return np.float32(self._value)

    yield SimpleNamespace(tensor=OnGPU, computed=computed)
    computed.set()
    on_tensorflow._thread().submit(int).result()


def test_tensorflow_on_a_gpu_is_not_waited_for(runtime, elsewhere):
    """A thread does that."""
    read = runtime.begin_read([elsewhere.tensor(0.5), 0.25])

    assert not read.is_ready()
    elsewhere.computed.set()
    assert read.result() == [0.5, 0.25]
    assert read.is_ready()


@pytest.fixture
def cuda(runtime, monkeypatch):
    """Has torch's tensors be on CUDA; returns the events recorded."""
    if runtime.backend != "torch":
        pytest.skip("needs torch as the backend")
    torch = importlib.import_module("torch")
    events = []

    class Event:
        is_over = False
        was_awaited = False

        def record(self):
            events.append(self)

        def query(self):
            return self.is_over

        def synchronize(self):
            self.was_awaited = True

    empty = torch.empty
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    # Memory can be pinned only where there is CUDA.
    monkeypatch.setattr(
        torch,
        "empty",
        lambda shape, dtype, pin_memory: empty(shape, dtype=dtype),
    )
    return events


def test_torch_on_cuda_is_not_waited_for(runtime, tensor, cuda):
    """An event tells when it is there."""
    read = runtime.begin_read([tensor(0.5), 0.25])

    assert not read.is_ready()
    assert not cuda[0].was_awaited
    cuda[0].is_over = True
    assert read.is_ready()
    assert read.result() == [0.5, 0.25]


# -- weights -----------------------------------------------------------------


def test_finite_weights_are_found_finite(runtime, model):
    """One boolean a variable, by its path."""
    check = runtime.weights_check(model)
    (are_finite,) = check.begin().result()

    assert len(check.paths) == 4
    assert "hidden/kernel" in check.paths[0]
    assert np.asarray(are_finite).tolist() == [True] * 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", range(4))
def test_the_weight_that_is_not_finite_is_found(runtime, model, bad, index):
    """Wherever it is in it."""
    check = runtime.weights_check(model)
    weights = model.get_weights()
    weights[index].flat[-1] = bad
    model.set_weights(weights)
    (are_finite,) = check.begin().result()

    assert [*map(bool, are_finite)].index(False) == index


@pytest.mark.parametrize("dtype", TYPES)
def test_large_numbers_are_finite(runtime, keras, dtype):
    """No sum of them overflows."""
    if runtime.backend == "jax" and dtype == "float64":
        pytest.skip("JAX has it only if asked")
    layer = keras.layers.Dense(9, dtype=dtype)
    model = keras.Sequential([layer])
    model.build((None, 9))
    layer.kernel.assign(np.full((9, 9), 60000.0))
    (are_finite,) = runtime.weights_check(model).begin().result()

    assert [*map(bool, are_finite)] == [True, True]


def test_what_cannot_be_infinite_is_passed_over(runtime, keras):
    """Seeds, counters, and what has no elements."""
    model = keras.Sequential([keras.layers.Dropout(0.5)])
    model.build((None, 4))

    assert runtime.weights_check(model) is None


@pytest.mark.parametrize("model", [None, object()])
def test_a_double_has_no_weights(runtime, model):
    """It may have little."""
    assert runtime.weights_check(model) is None


def test_a_fit_by_itself_has_no_peers(runtime, model):
    """One process trains."""
    assert runtime.has_peers(model) is False


def test_workers_of_a_strategy_are_peers(runtime, tensorflow):
    """They stop at one step."""
    extended = SimpleNamespace(_in_multi_worker_mode=lambda: True)
    strategy = SimpleNamespace(extended=extended)
    model = SimpleNamespace(distribute_strategy=strategy)

    assert runtime.has_peers(model) is True


def test_processes_of_jax_are_peers(runtime, monkeypatch):
    """They share one computation."""
    if runtime.backend != "jax":
        pytest.skip("needs JAX as the backend")
    monkeypatch.setattr("jax.process_count", lambda: 2)

    assert runtime.has_peers(None) is True


def test_processes_of_torch_are_peers(runtime, monkeypatch):
    """They exchange gradients."""
    if runtime.backend != "torch":
        pytest.skip("needs torch as the backend")
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)

    assert runtime.has_peers(None) is True


def test_other_backends_compute_on_the_host():
    """Keras 3 has some that cannot train."""
    engine = reads.engine("openvino")
    arrays = [np.array([1.0]), np.array([np.nan])]

    assert engine is on_numpy
    assert isinstance(engine.begin_read([0.5]), Arrived)
    assert engine.finite_test([], lambda: arrays)().tolist() == [True, False]
    assert not engine.has_peers(None)
