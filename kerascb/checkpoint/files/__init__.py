"""The file systems that checkpoints are written to."""
