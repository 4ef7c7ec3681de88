"""Writes schemas.json from a running ComfyUI; review the difference before it is committed.

Run from the pack's folder: python tests/golden/make_golden.py
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "nodes"))

from comfy_server import Server
from find_comfyui import PACK
from schemas import contract, pack_nodes

OUT = Path(__file__).absolute().with_name("schemas.json")

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch))
        try:
            nodes = pack_nodes(server.get("/object_info"), PACK.name)
        finally:
            server.stop()
    golden = {name: contract(node) for name, node in nodes.items()}
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
