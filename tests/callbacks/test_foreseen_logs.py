"""What is known of the logs before the first batch."""

import pytest

import kerascb
from kerascb.callbacks._foreseen_logs import ForeseenLogs, foresee


def _of(*names, complete=True):
    return ForeseenLogs(frozenset(names), complete, "learning_rate")


@pytest.mark.parametrize(
    ("name", "may_come"),
    [
        ("loss", True),
        ("head_loss", True),
        ("loss_1", True),
        ("head_weighted_loss_2", True),
        ("learning_rate", True),
        ("learning_rate_body", True),
        ("val_loss", False),
        ("head_mae", False),
        ("los", False),
    ],
)
def test_without_validation(name, may_come):
    """Metrics, those of single outputs, and learning rates may come."""
    assert _of("loss").may_have(name) is may_come


@pytest.mark.parametrize("name", ["val_loss", "val_head_loss", "head_loss"])
def test_with_validation(name):
    """An output's name goes between `val_` and the metric's."""
    assert _of("loss", "val_loss").may_have(name)


def test_an_output_may_be_called_val():
    """Then its loss looks as if it came of validation."""
    assert _of("loss", "val_loss").may_have("val_loss")


@pytest.mark.parametrize(
    ("name", "is_unlikely"),
    [
        ("loss", False),
        ("acuracy", True),
        ("val_acuracy", True),
        ("accuracy2", False),
        ("acc", False),
        ("val_loss", False),
    ],
)
def test_where_others_may_add_only_a_misspelt_name_is_unlikely(
    name, is_unlikely
):
    """One letter off is a typing error, anything else may be meant."""
    foreseen = _of("loss", "accuracy", complete=False)

    assert foreseen.is_unlikely(name) is is_unlikely


def test_where_others_may_add_may_add_anything_may_come():
    """What is not complete excludes nothing."""
    assert _of("loss", complete=False).may_have("anything")


def test_without_a_fit_nothing_is_excluded(make_model):
    """Hooks driven by hand may get any logs."""
    foreseen = foresee(make_model())

    assert not foreseen.are_complete
    assert foreseen.may_have("anything")


class Counting(kerascb.Callback):
    """Listens to batches only."""

    def on_train_batch_end(self, batch, logs=None):
        """Logs nothing."""


class Logging(kerascb.Callback):
    """Has its say at the end of an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = 0.5


class Foreseeing(kerascb.EarlyStopping):
    """Notes what could be foreseen."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.foreseen = foresee(self.model)


@pytest.mark.fit
@pytest.mark.parametrize(
    ("others", "are_complete"),
    [
        (list, True),
        (lambda: [kerascb.CSVLogger("log.csv")], True),
        (lambda: [Counting()], True),
        (lambda: [Logging()], False),
        (
            lambda: [
                kerascb.LambdaCallback(on_batch_end=lambda batch, logs: None)
            ],
            True,
        ),
        (
            lambda: [
                kerascb.LambdaCallback(on_epoch_end=lambda epoch, logs: None)
            ],
            False,
        ),
    ],
)
def test_who_may_add_to_the_logs(make_model, data, others, are_complete):
    """Only what hears the end of an epoch and is no part of Keras."""
    foreseeing = Foreseeing("loss")
    make_model().fit(*data, verbose=0, callbacks=[*others(), foreseeing])

    assert foreseeing.foreseen.are_complete is are_complete
    assert foreseeing.foreseen.names == {"loss", "accuracy"}
