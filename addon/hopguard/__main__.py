"""`python -m hopguard` is the same program as `hopguard`."""

import sys

from hopguard.cli import main

if __name__ == "__main__":  # not so in the worker processes of a scan
    sys.exit(main())
