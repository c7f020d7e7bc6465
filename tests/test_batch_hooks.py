"""With default arguments nothing is done at a batch, and nothing read."""

from types import SimpleNamespace

import pytest

import kerascb
from kerascb.callbacks._last_word import LastWord
from kerascb.callbacks.callback import is_default

QUIET = {
    "BackupAndRestore": lambda: kerascb.BackupAndRestore("backup"),
    "CSVLogger": lambda: kerascb.CSVLogger("log.csv"),
    "EarlyStopping": kerascb.EarlyStopping,
    "History": kerascb.History,
    "LearningRateScheduler": lambda: kerascb.LearningRateScheduler(float),
    "ModelCheckpoint": lambda: kerascb.ModelCheckpoint("m.keras"),
    "ReduceLROnPlateau": kerascb.ReduceLROnPlateau,
    "RemoteMonitor": kerascb.RemoteMonitor,
    "SwapEMAWeights": kerascb.SwapEMAWeights,
    "TensorBoard": lambda: kerascb.TensorBoard("logs"),
}
HOOKS = [
    f"on_{kind}batch_{end}"
    for kind in ("", "train_", "test_", "predict_")
    for end in ("begin", "end")
]


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", QUIET)
def test_no_batch_hook_by_default(name, hook):
    """Keras's lists keep their fast paths (tf#37876)."""
    assert is_default(getattr(QUIET[name](), hook))


def test_a_list_of_them_asks_for_no_batch():
    """What Keras 2's list looks at before the first batch."""
    callbacks = kerascb.CallbackList(
        [build() for build in QUIET.values()],
        add_progbar=True,
        verbose=2,
        epochs=1,
        steps=3,
    )

    assert not callbacks._should_call_train_batch_hooks
    assert not callbacks._should_call_test_batch_hooks
    assert not callbacks._should_call_predict_batch_hooks


def test_a_checkpoint_reads_no_log_before_it_saves(keras2_only):
    """Tensors stay on the device until a save is due."""

    class Unread:
        def __array__(self, *args, **kwargs):
            raise AssertionError

        numpy = item = __float__ = __array__

    checkpoint = kerascb.ModelCheckpoint("m.keras", save_freq=100)
    callbacks = kerascb.CallbackList([checkpoint])
    for batch in range(99):
        callbacks.on_train_batch_end(batch, {"loss": Unread()})

    assert checkpoint._batches_seen_since_last_saving == 99


@pytest.mark.parametrize("hears_batches", [False, True])
def test_a_backup_s_helper_hears_batches_only_if_it_needs_to(hears_batches):
    """`BackupAndRestore` puts it last into the list."""
    helper = LastWord(SimpleNamespace(hears_batches=hears_batches), None, {})

    assert is_default(helper.on_train_batch_end) is not hears_batches


def test_stock_s_list_stays_asynchronous(runtime, stock):
    """On JAX and torch, where one batch hook makes all of it wait."""
    if runtime.name != "keras3" or runtime.backend == "tensorflow":
        pytest.skip("about Keras 3 on JAX and torch")
    quiet = [build() for name, build in QUIET.items() if name != "TensorBoard"]
    callbacks = stock("CallbackList")(quiet)

    assert callbacks._async_train
    assert callbacks._async_test
    assert callbacks._async_predict
