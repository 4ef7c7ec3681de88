"""The command mmc by the path of this file, for Pythons in which it is not installed.

As ComfyUI's: PYTHON custom_nodes/THIS_FOLDER/mmc.py doctor. It runs from any folder, also with the
Python of ComfyUI for Windows, which looks for modules neither there nor beside the file.
"""

import sys
from pathlib import Path

HERE = Path(__file__).absolute()

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    from mm_core.cli.main import main
    from mm_core.weights.command import call_as

    call_as(sys.executable, str(HERE))
    sys.exit(main())
