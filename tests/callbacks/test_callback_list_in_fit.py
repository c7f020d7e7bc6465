"""A CallbackList passed to `fit`, `evaluate` and `predict` as it is."""

import threading

import numpy as np
import pytest

import kerascb
from tests.parity import untimed

pytestmark = pytest.mark.fit


def trained(make_model, data, make_callbacks, capsys, **fit_args):
    """Fits; returns the History's type, its record and what was printed."""
    model = make_model()
    arguments = {"epochs": 2, "batch_size": 8, **fit_args}
    history = model.fit(*data, callbacks=make_callbacks(), **arguments)
    record = {
        name: values
        for name, values in history.history.items()
        if not name.startswith("seconds")
    }
    return type(history), record, untimed(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("verbose", "validation"),
    [("auto", True), (0, False), (1, False), (2, True)],
)
def test_does_what_fit_does_with_a_plain_list(
    make_model, data, capsys, verbose, validation
):
    """History, bar and params are there without being asked for."""
    arguments = {"verbose": verbose}
    if validation:
        arguments["validation_data"] = data
    plain = trained(
        make_model,
        data,
        lambda: [kerascb.ProgbarLogger(), kerascb.History()],
        capsys,
        **arguments,
    )
    listed = trained(
        make_model, data, lambda: kerascb.CallbackList([]), capsys, **arguments
    )

    assert listed == plain


def test_callbacks_get_the_model_and_what_fit_was_told(make_model, data):
    """Before training begins, as in a plain list."""
    told = []

    class Asking(kerascb.Callback):
        def on_train_begin(self, logs=None):
            told.append((self.model, self.params))

    model = make_model()
    callbacks = kerascb.CallbackList([Asking()])
    model.fit(*data, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)

    assert told == [(model, {"verbose": 0, "epochs": 3, "steps": 3})]


def test_serves_the_fit_of_another_model(make_model, data, capsys):
    """What the first fit told is replaced by what the second tells."""
    callbacks = kerascb.CallbackList([])
    make_model().fit(*data, epochs=2, verbose=2, callbacks=callbacks)
    capsys.readouterr()
    second = make_model()
    history = second.fit(*data, epochs=1, verbose=0, callbacks=callbacks)

    assert callbacks.model is second
    assert history.epoch == [0]
    assert callbacks.params["epochs"] == 1
    assert capsys.readouterr().out == ""


def test_serves_a_fit_after_one_that_failed(make_model, data):
    """A block that was never ended is not waited for."""
    callbacks = kerascb.CallbackList(
        [kerascb.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)]
    )
    model = make_model()
    with pytest.raises(ZeroDivisionError):
        model.fit(*data, verbose=0, callbacks=callbacks)
    del callbacks.callbacks[0]
    history = model.fit(*data, epochs=2, verbose=0, callbacks=callbacks)

    assert history.epoch == [0, 1]


@pytest.mark.parametrize("name", ["evaluate", "predict"])
@pytest.mark.parametrize("verbose", [0, 1])
def test_does_what_evaluate_and_predict_do(
    make_model, data, capsys, name, verbose
):
    """The same lines, and the same values."""
    given = data if name == "evaluate" else data[:1]

    def outcome(callbacks):
        answer = getattr(make_model(), name)(
            *given, batch_size=8, verbose=verbose, callbacks=callbacks
        )
        return np.array(answer).tolist(), untimed(capsys.readouterr().out)

    plain = outcome([kerascb.ProgbarLogger()])

    assert outcome(kerascb.CallbackList([])) == plain


def test_what_the_user_has_told_is_left_alone(make_model, data, capsys):
    """A list made with a model and params is the user's own."""
    model = make_model()
    callbacks = kerascb.CallbackList([], model=model, verbose=0, epochs=7)
    history = model.fit(*data, epochs=2, verbose=1, callbacks=callbacks)

    assert callbacks.params == {"verbose": 0, "epochs": 7}
    assert capsys.readouterr().out == ""
    assert history.epoch == [0, 1]


def test_works_as_a_plain_list_of_stock_s_callbacks(
    make_model, data, stock, capsys, tmp_path
):
    """Those of Keras itself hear what they hear in Keras's own list."""

    def build():
        return [
            stock("EarlyStopping")("loss", patience=5),
            stock("CSVLogger")(str(tmp_path / "log.csv")),
            stock("TerminateOnNaN")(),
            stock("ProgbarLogger")(),
        ]

    plain = trained(make_model, data, build, capsys, verbose=2)
    rows = (tmp_path / "log.csv").read_text()
    listed = trained(
        make_model,
        data,
        lambda: kerascb.CallbackList(build()),
        capsys,
        verbose=2,
    )

    assert listed[1:] == plain[1:]
    assert (tmp_path / "log.csv").read_text() == rows


class Noting(kerascb.Callback):
    """Notes batches, in which thread they came, and what was logged."""

    def __init__(self):
        super().__init__()
        self.batches, self.threads, self.losses = [], set(), []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)
        self.threads.add(threading.get_ident())
        self.losses.append(logs["loss"])


class SafeNoting(Noting):
    """Says that it may be called out of order, in any thread."""

    async_safe = True


@pytest.mark.parametrize("kind", [Noting, SafeNoting])
def test_batches_come_in_order_in_the_training_thread(make_model, data, kind):
    """Keras's own list calls an `async_safe` one from a pool (JAX, torch)."""
    noting = kind()
    callbacks = kerascb.CallbackList([noting])
    make_model().fit(*data, batch_size=2, verbose=0, callbacks=callbacks)

    assert noting.batches == list(range(12))
    assert noting.threads == {threading.get_ident()}


def test_an_error_ends_the_fit_where_it_is_raised(make_model, data):
    """Not batches later, from another thread."""
    noting = SafeNoting()

    class Failing(kerascb.Callback):
        async_safe = True

        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise LookupError("batch 3")

    callbacks = kerascb.CallbackList([noting, Failing()])
    with pytest.raises(LookupError, match="batch 3"):
        make_model().fit(*data, batch_size=2, verbose=0, callbacks=callbacks)

    assert noting.batches == [0, 1, 2, 3]


def test_stop_training_is_seen_before_the_next_batch(make_model, data):
    """Also from a callback that may be called in another thread."""
    noting = SafeNoting()

    class Stopping(kerascb.Callback):
        async_safe = True

        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                self.model.stop_training = True

    callbacks = kerascb.CallbackList([Stopping(), noting])
    make_model().fit(*data, batch_size=2, verbose=0, callbacks=callbacks)

    assert noting.batches == [0, 1, 2, 3]


def test_logs_that_are_kept_stay_those_of_their_batch(make_model, data):
    """What a callback keeps is read at the end of the epoch, if it likes."""
    kept = []

    class Keeping(Noting):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    noting = Noting()
    callbacks = kerascb.CallbackList([Keeping(), noting])
    make_model().fit(*data, batch_size=2, verbose=0, callbacks=callbacks)

    assert [logs.raw("loss") for logs in kept] == noting.losses


def test_nothing_waits_where_nobody_looks(
    runtime, make_model, data, monkeypatch
):
    """A batch hook that reads no log costs no transfer."""
    converted = []
    to_python = type(runtime).to_python
    monkeypatch.setattr(
        type(runtime),
        "to_python",
        lambda self, logs: converted.append(logs) or to_python(self, logs),
    )
    if runtime.name == "keras3":
        monkeypatch.setattr(runtime, "_to_floats", _must_not_convert)
    seen = []
    callbacks = kerascb.CallbackList(
        [
            kerascb.LambdaCallback(
                on_train_batch_end=lambda batch, logs: seen.append(len(logs))
            )
        ]
    )
    model = make_model()
    callbacks.set_model(model)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    logs = model.train_on_batch(*data, return_dict=True)
    callbacks.on_train_batch_end(0, logs)

    assert seen == [len(logs)]
    assert converted == []


def _must_not_convert(logs):
    raise AssertionError


def test_profile_prints_what_each_callback_took(
    make_model, data, capsys, warned
):
    """At the end of the fit, a line a callback."""
    callbacks = kerascb.CallbackList(
        [kerascb.EarlyStopping("loss", mode="min"), kerascb.TerminateOnNaN()],
        profile=True,
    )
    make_model().fit(*data, epochs=2, verbose=0, callbacks=callbacks)
    del warned[:]  # of what is slow, by chance, in a fit as short as this
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith("The callbacks took ")
    assert {line.split()[0] for line in lines[2:]} == {
        "EarlyStopping", "TerminateOnNaN", "History",
    }  # fmt: skip


def test_profile_counts_the_backup_s_work_as_the_backup_s(
    make_model, data, capsys, tmp_path, warned
):
    """It is done by a helper that stands last in the list."""
    callbacks = kerascb.CallbackList(
        [kerascb.BackupAndRestore(tmp_path / "backup")], profile=True
    )
    make_model().fit(*data, verbose=0, callbacks=callbacks)
    names = [
        line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]
    ]

    assert sorted(names) == ["BackupAndRestore", "History"]


def test_is_used_by_every_fit_after_install(make_model, data):
    """And by `evaluate` and `predict`."""
    seen = []

    class Looking(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(type(logs).__name__)

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    with kerascb.install():
        model = make_model()
        arguments = {"verbose": 0, "batch_size": 24, "callbacks": [Looking()]}
        model.fit(*data, **arguments)
        model.evaluate(*data, **arguments)
        model.predict(data[0], **arguments)

    assert seen == ["LazyLogs"] * 3
