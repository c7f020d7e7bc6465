"""The scripts beside this are what tests run, not tests."""

collect_ignore_glob = ["*.py"]
