"""The checkpoints of a folder: listed, kept, verified, found again."""
