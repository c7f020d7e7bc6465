"""What counts as better, and in which direction.

One rule for every class that monitors a value; Keras has three. No Keras is
imported here: what a metric object says of itself comes in as an argument.
"""

from __future__ import annotations

import difflib
import enum
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Direction(enum.Enum):
    """Which way a monitored value should go."""

    MIN = "min"
    MAX = "max"


_MAX_WORDS = frozenset(
    "acc accuracy auc auprc auroc "  # noqa: SIM905 - a table
    "precision recall sensitivity specificity f1 "
    "fbeta fmeasure iou miou jaccard dice dsc r2 r2score psnr ssim bleu rouge "
    "map ndcg mrr correlation pearson spearman kappa mcc similarity reward "
    "hits tpr tnr snr".split()
)
_MAX_PHRASES = (
    "true_positive",
    "true_negative",
    "top_k",
    "hit_rate",
    "explained_variance",
    "f_score",
    "fbeta_score",
    "f1_score",
)
_MIN_WORDS = frozenset(
    "loss error err mse rmse mae "  # noqa: SIM905 - a table
    "mape msle rmsle nll perplexity crossentropy "
    "entropy divergence kld kullback distance hinge logcosh poisson fpr fnr "
    "wer cer brier bpc huber ppl inaccuracy misclassification".split()
)
_MIN_PHRASES = (
    "false_positive",
    "false_negative",
    "log_cosh",
    "divergence",
)
_PREFIXED_MAX = re.compile(r"^(fmeasure|accuracy|top\d)")
_SUFFIXED_MAX = re.compile(r"(acc|accuracy|auc)$")
_NUMBERED = re.compile(r"\d+$")


def direction_by_name(monitor: str) -> Direction | None:
    """Reads the direction off a metric's name.

    The name is taken apart at underscores, because a monitor also carries
    `val_`, an output's name and a running number (`val_head_auc_1`). Words of
    loss and error outweigh the others: `accuracy_loss` is a loss.

    Args:
        monitor: A key of the logs, e.g. `"val_binary_accuracy"`.

    Returns:
        The direction, or `None` where the name tells nothing.

    Example:
        >>> direction_by_name("val_auc_2")
        <Direction.MAX: 'max'>
        >>> direction_by_name("val_accumulated_loss")
        <Direction.MIN: 'min'>
        >>> direction_by_name("width") is None
        True
    """
    monitor = monitor.removeprefix("val_")
    name = _snake_case(monitor)
    # `mAP` is one word, though its case says two.
    words = {*name.split("_"), *monitor.lower().split("_")}
    words |= {_NUMBERED.sub("", word) for word in words}
    if words & _MIN_WORDS or any(phrase in name for phrase in _MIN_PHRASES):
        return Direction.MIN
    if words & _MAX_WORDS or any(phrase in name for phrase in _MAX_PHRASES):
        return Direction.MAX
    if any(_PREFIXED_MAX.match(w) or _SUFFIXED_MAX.search(w) for w in words):
        return Direction.MAX
    return None


def _snake_case(name: str) -> str:
    # Metric classes used as names: BinaryIoU, TopKCategoricalAccuracy.
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return spaced.replace("io_u", "iou").replace("-", "_").replace(" ", "_")


def is_improvement(
    value: float,
    reference: float | None,
    direction: Direction,
    min_delta: float = 0.0,
) -> bool:
    """Whether a value is better than the best so far.

    Compared as Python floats. NaN is never an improvement; anything that is
    not NaN improves on NaN or on nothing.

    Args:
        value: The value now.
        reference: The best so far; `None` if there is none yet.
        direction: Which way is better.
        min_delta: By how much it must be better (≥ 0).
    """
    if math.isnan(value):
        return False
    if reference is None or math.isnan(reference):
        return True
    if direction is Direction.MIN:
        return value + min_delta < reference
    return value - min_delta > reference


def nearest_names(
    wrong: str, names: Iterable[str], count: int = 3, cutoff: float = 0.5
) -> list[str]:
    """The names a misspelt one may have meant, likeliest first.

    Args:
        wrong: The name that is not there.
        names: The names that are.
        count: How many to give at most.
        cutoff: How similar a name must be, from 0 to 1 (the same).

    Example:
        >>> nearest_names("val_acc", ["loss", "val_loss", "val_accuracy"])
        ['val_accuracy', 'val_loss']
    """
    return difflib.get_close_matches(wrong, list(names), n=count, cutoff=cutoff)


def did_you_mean(wrong: str, names: Iterable[str], form: str = "{!r}") -> str:
    """A sentence, with a blank before it, that names the likeliest name.

    Args:
        wrong: The name that is not there.
        names: The names that are.
        form: How the name is written, for `str.format`.

    Returns:
        The sentence; the empty string if no name is near.

    Example:
        >>> did_you_mean("acuracy", ["accuracy", "loss"])
        " Did you mean 'accuracy'?"
    """
    near = nearest_names(wrong, names, count=1)
    return f" Did you mean {form.format(near[0])}?" if near else ""
