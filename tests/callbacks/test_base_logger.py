"""BaseLogger: means over an epoch's samples."""

import pytest

import kerascb


def run(logger, batches, logs):
    logger.on_epoch_begin(0)
    for index, batch in enumerate(batches):
        logger.on_batch_end(index, batch)
    logger.on_epoch_end(0, logs)
    return logs


def test_weighs_by_samples():
    """A batch counts by its size."""
    batches = [{"size": 3, "loss": 1.0}, {"size": 1, "loss": 5.0}]

    assert run(kerascb.BaseLogger(), batches, {"loss": 5.0}) == {"loss": 2.0}


def test_counts_several_steps_in_one():
    """`num_steps` multiplies the size."""
    logger = kerascb.BaseLogger()
    run(logger, [{"size": 2, "num_steps": 3, "loss": 1.0}], {"loss": 1.0})

    assert logger.seen == 6


def test_a_stateful_metric_keeps_its_last_value():
    """What is an average already is not averaged again."""
    logger = kerascb.BaseLogger(stateful_metrics=["auc"])
    batches = [{"size": 1, "auc": 0.5}, {"size": 1, "auc": 0.75}]

    assert run(logger, batches, {"auc": 0.0}) == {"auc": 0.75}


def test_only_the_names_it_was_told_are_replaced():
    """`params["metrics"]`, where a loop fills it, decides."""
    logger = kerascb.BaseLogger()
    logger.set_params({"metrics": ["loss"]})
    batches = [{"size": 1, "loss": 1.0, "mae": 2.0}]

    assert run(logger, batches, {"mae": 9.0}) == {"mae": 9.0, "loss": 1.0}


def test_no_key_error_without_metrics_in_params():
    """Stock fails with KeyError 'metrics' in every fit (keras#15246)."""
    logger = kerascb.BaseLogger()
    logger.set_params({"verbose": 0, "epochs": 1, "steps": 2})

    assert run(logger, [{"loss": 1.0}, {"loss": 0.5}], {"loss": 0.5}) == {
        "loss": 0.5
    }


@pytest.mark.fit
def test_leaves_the_logs_of_a_fit_alone(make_model, data):
    """Keras averages by itself; a fit with it equals one without."""
    plain = make_model().fit(*data, epochs=2, verbose=0)
    logged = make_model().fit(
        *data, epochs=2, verbose=0, callbacks=[kerascb.BaseLogger()]
    )

    assert logged.history == plain.history
