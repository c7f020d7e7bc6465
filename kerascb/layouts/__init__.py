"""Checkpoint files before they have values: what stands where.

A plan is made with the model at hand, in the training thread. Everything else
needs the frozen values alone: a layout renders them to the bytes of a file,
piece by piece and without copying them. No Keras, no TensorFlow here.
"""
