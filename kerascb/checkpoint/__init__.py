"""Models on disk: what a path means, writing there, and reading back."""

from kerascb.checkpoint.loading import load_model, load_weights

__all__ = ["load_model", "load_weights"]
