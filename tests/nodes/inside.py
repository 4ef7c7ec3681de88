"""Makes the host and the pack importable in a script that the host's Python runs from its folder:
import this before anything else. The pack's folder is the script's first argument; the others are
what is ASKED of it.
"""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import comfy.options

PACK, ASKED = Path(sys.argv[1]), sys.argv[2:]
sys.argv = ["main.py", "--cpu"]
comfy.options.enable_args_parsing()

import comfy.model_management  # noqa: E402  the host's order of imports

spec = importlib.util.spec_from_file_location("mmc_pack", str(PACK / "__init__.py"))
sys.modules["mmc_pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["mmc_pack"])
sys.path += [str(PACK / "tests" / "nodes"), str(PACK / "tests" / "parity")]
