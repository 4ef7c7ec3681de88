"""Run by the host's Python from the host's folder: loads the pack as the host does.

Prints JSON: the seconds of processor time it took, which other programs do not change, and the
modules it loaded.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import comfy.options

pack = Path(sys.argv[1])
sys.argv = ["main.py", "--cpu"]
comfy.options.enable_args_parsing()

from comfy_api import latest  # noqa: E402, F401  loaded by the host before any pack

import nodes  # noqa: E402, F401  the host's own: with it, all of comfy is loaded

for name in [n for n in sys.modules if n.split(".")[0] == "transformers"]:
    del sys.modules[name]  # so that the pack would have to load it again
before = set(sys.modules)

started = time.process_time()
spec = importlib.util.spec_from_file_location(
    str(pack).replace(".", "_x_"), str(pack / "__init__.py")
)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
seconds = time.process_time() - started

sys.stdout.write(
    json.dumps({"seconds": seconds, "modules": sorted(set(sys.modules) - before)}) + "\n"
)
