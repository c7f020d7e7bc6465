"""Stock's callbacks and kerascb's, doing the same work in one run.

`python -m benchmarks` runs every case; each is a module with a function `run`.
"""
