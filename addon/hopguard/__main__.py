"""`python -m hopguard` is the same program as `hopguard`."""

import sys

from hopguard.cli import main

sys.exit(main())
