"""python -m mm_core is the command mmc."""

import sys

from .cli.main import main

sys.exit(main())
