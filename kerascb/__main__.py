"""`python -m kerascb`."""

import sys

from kerascb.cli import main

if __name__ == "__main__":
    sys.exit(main())
