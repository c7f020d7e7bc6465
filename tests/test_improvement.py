"""What counts as better, and in which direction."""

import math

import pytest

from kerascb.improvement import (
    Direction,
    did_you_mean,
    direction_by_name,
    is_improvement,
    nearest_names,
)

MIN, MAX = Direction.MIN, Direction.MAX
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "monitor",
    [
        "acc",
        "val_acc",
        "accuracy",
        "val_binary_accuracy",
        "sparse_top_k_categorical_accuracy",
        "head_accuracy",
        "auc",
        "val_auc_2",
        "prauc",
        "myacc",
        "precision_1",
        "recall",
        "f1_score",
        "val_fbeta_score",
        "fmeasure",
        "mean_io_u",
        "BinaryIoU",
        "r2_score",
        "dice_coef",
        "cosine_similarity",
        "true_positives",
        "top5",
        "mAP",
        "val_mAP50",
    ],
)
def test_names_of_scores_rise(monitor):
    """A score is better when it is greater, whatever Keras's own rule was."""
    assert direction_by_name(monitor) is MAX


@pytest.mark.parametrize(
    "monitor",
    [
        "loss",
        "val_loss",
        "head_loss",
        "val_accumulated_loss",
        "accuracy_loss",
        "top5_error",
        "mse",
        "mean_absolute_error",
        "binary_crossentropy",
        "kl_divergence",
        "KLDivergence",
        "log_cosh",
        "false_negatives",
        "val_perplexity",
        "inaccuracy",
        "val_inaccuracy",
        "misclassification",
    ],
)
def test_names_of_losses_and_errors_fall(monitor):
    """A loss is better when it is smaller, also one named after a score."""
    assert direction_by_name(monitor) is MIN


@pytest.mark.parametrize("monitor", ["unknown", "width", "val_", "", "lr"])
def test_a_name_that_tells_nothing_has_no_direction(monitor):
    """No guess is made; the caller decides."""
    assert direction_by_name(monitor) is None


@pytest.mark.parametrize(
    ("value", "reference", "direction", "min_delta", "expected"),
    [
        (1.0, 2.0, MIN, 0.0, True),
        (2.0, 1.0, MIN, 0.0, False),
        (1.0, 1.0, MIN, 0.0, False),
        (2.0, 1.0, MAX, 0.0, True),
        (1.0, 2.0, MAX, 0.0, False),
        (1.0, 1.0, MAX, 0.0, False),
        (1.4, 2.0, MIN, 0.5, True),
        (1.6, 2.0, MIN, 0.5, False),
        (2.6, 2.0, MAX, 0.5, True),
        (2.4, 2.0, MAX, 0.5, False),
        (1.0, INF, MIN, 0.5, True),
        (1.0, -INF, MAX, 0.5, True),
    ],
)
def test_better_means_better_by_more_than_min_delta(
    value, reference, direction, min_delta, expected
):
    """Equal is not better, and neither is better by exactly `min_delta`."""
    assert is_improvement(value, reference, direction, min_delta) is expected


@pytest.mark.parametrize("direction", [MIN, MAX])
@pytest.mark.parametrize("reference", [None, NAN, 0.0, INF, -INF])
def test_nan_is_never_better(reference, direction):
    """NaN improves on nothing, not even on NaN."""
    assert is_improvement(NAN, reference, direction) is False


@pytest.mark.parametrize("direction", [MIN, MAX])
@pytest.mark.parametrize("reference", [None, NAN])
def test_a_number_is_better_than_none(reference, direction):
    """A NaN that got in as the best does not stay there."""
    assert is_improvement(0.0, reference, direction, 10.0) is True


@pytest.mark.parametrize("value", [0.99999999, math.nextafter(1.0, 0.0)])
def test_small_steps_are_seen(value):
    """Values are compared in double precision."""
    assert is_improvement(value, 1.0, MIN)


@pytest.mark.parametrize(
    ("wrong", "names", "expected"),
    [
        ("val_acc", ["loss", "val_accuracy"], ["val_accuracy"]),
        ("acuracy", ["accuracy", "loss"], ["accuracy"]),
        ("zzz", ["accuracy", "loss"], []),
        ("loss", [], []),
    ],
)
def test_nearest_names(wrong, names, expected):
    """A misspelt name finds the ones it may have meant."""
    assert nearest_names(wrong, names) == expected


def test_nearest_names_gives_no_more_than_asked():
    """`count` limits the answer."""
    assert len(nearest_names("loss", ["loss1", "loss2"], count=1)) == 1


@pytest.mark.parametrize(
    ("wrong", "form", "expected"),
    [
        ("acuracy", "{!r}", " Did you mean 'accuracy'?"),
        ("acuracy", "`val_{}`", " Did you mean `val_accuracy`?"),
        ("zzz", "{!r}", ""),
    ],
)
def test_did_you_mean(wrong, form, expected):
    """One phrase for all who ask; nothing if nothing is near."""
    assert did_you_mean(wrong, ["accuracy", "loss"], form) == expected


def test_nearest_names_can_be_asked_for_nearer_ones():
    """`cutoff` tells typing errors from other names."""
    assert nearest_names("mae", ["mse"]) == ["mse"]
    assert nearest_names("mae", ["mse"], cutoff=0.9) == []
