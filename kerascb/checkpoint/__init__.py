"""Models on disk: what a path means, writing there, and reading back."""

from kerascb.checkpoint.loading import load_model, load_weights
from kerascb.checkpoint.records import Record, checkpoints
from kerascb.checkpoint.restoring import load_best, load_latest

__all__ = [
    "Record",
    "checkpoints",
    "load_best",
    "load_latest",
    "load_model",
    "load_weights",
]
