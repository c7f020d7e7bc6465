"""Models on disk: what a path means, writing there, and reading back."""

from kerascb.checkpoint.catalog.records import Record, checkpoints
from kerascb.checkpoint.catalog.restoring import load_best, load_latest
from kerascb.checkpoint.loading import load_model, load_weights

__all__ = [
    "Record",
    "checkpoints",
    "load_best",
    "load_latest",
    "load_model",
    "load_weights",
]
