"""Commits one checkpoint many times: KIND FOLDER TAG COUNT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from kerascb.checkpoint.commit import Kind
from tests.checkpoint.commit.scene import Scene


def main(kind, folder, tag, count):
    """Saves, and says so when it is done."""
    scene = Scene(Kind(kind), folder)
    for _ in range(int(count)):
        scene.save(tag)
    print("saved")


if __name__ == "__main__":
    main(*sys.argv[1:])
