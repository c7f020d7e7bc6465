"""What checkpoints of models consist of, and whose values go where."""
