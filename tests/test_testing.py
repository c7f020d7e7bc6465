"""`drive` and `FakeModel`: hooks without a fit."""

import pytest

import kerascb
from kerascb.testing import FakeModel, drive


class Naming(kerascb.Callback):
    """Notes the names of the hooks that are called."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            names = object.__getattribute__(self, "names")
            return lambda *args, **kwargs: names.append(name)
        return object.__getattribute__(self, name)


@pytest.mark.fit
@pytest.mark.parametrize("validates", [False, True])
def test_calls_what_fit_calls(make_model, data, validates):
    """The same hooks in the same order."""
    driven, fitted = Naming(), Naming()
    logs = {"loss": 1.0, **({"val_loss": 2.0} if validates else {})}
    drive([driven], epochs=[logs] * 2, steps=3)
    make_model().fit(
        *data,
        epochs=2,
        batch_size=8,
        verbose=0,
        callbacks=[fitted],
        validation_data=data if validates else None,
        validation_batch_size=24,
    )

    assert driven.names == fitted.names


def test_stops_where_it_is_stopped():
    """`stop_training` ends the loop as in `fit`: after the epoch's end."""
    model = FakeModel()

    class Stopping(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    run = drive([Stopping()], losses=[3.0, 2.0], model=model)

    assert (run.batches_seen, run.epochs_seen) == (1, 1)
    assert run.logs == [{"loss": 3.0}]


def test_keeps_what_callbacks_add_to_the_logs():
    """The logs of a run are those after the last callback."""
    adding = kerascb.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(extra=epoch)
    )

    assert drive([adding], epochs=[{"loss": 1.0}]).logs == [
        {"loss": 1.0, "extra": 0}
    ]


def test_batches_have_no_validation():
    """`val_` appears at the end of an epoch only."""
    seen = []
    noting = kerascb.LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append(logs)
    )
    drive([noting], epochs=[{"loss": 1.0, "val_loss": 2.0}])

    assert seen == [{"loss": 1.0}]


@pytest.mark.parametrize("plan", [{}, {"losses": [1.0], "epochs": [{}]}])
def test_wants_exactly_one_plan(plan):
    """Either losses or epochs."""
    with pytest.raises(TypeError, match="either losses or epochs"):
        drive([], **plan)


def test_the_fake_model_hands_out_copies():
    """Weights taken earlier do not change with the model."""
    model = FakeModel()
    before = model.get_weights()
    model.set_weights([before[0] + 1])

    assert before[0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert model.get_weights()[0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_model_of_a_list_is_driven():
    """What stops that model stops the loop."""
    model = FakeModel()
    stopping = kerascb.EarlyStopping("loss", mode="min")
    callbacks = kerascb.CallbackList([stopping], model=model)
    run = drive(callbacks, epochs=[{"loss": x} for x in (1.0, 2.0, 0.0)])

    assert run.model is model
    assert run.epochs_seen == 2


def test_a_stop_in_an_epoch_keeps_its_validation():
    """`fit` validates once more before it ends."""

    class Stopping(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    run = drive([Stopping()], epochs=[{"loss": 1.0, "val_loss": 2.0}] * 2)

    assert run.logs == [{"loss": 1.0, "val_loss": 2.0}]


def test_an_epoch_may_be_empty():
    """No batch is no error."""
    assert drive([], losses=[]).batches_seen == 0
