"""python -m mm_core is the command mmc."""

import sys

from .cli.main import main
from .weights.command import call_as

call_as(sys.executable, "-m", "mm_core")
sys.exit(main())
