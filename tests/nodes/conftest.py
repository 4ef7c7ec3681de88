"""One server for all host tests, and models that are too large to keep."""

import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest
from find_comfyui import ASSETS, PACK, comfyui, interpreter
from random_adapters import write_all
from random_sd15 import CHECKPOINT, CONTROLS, LORA

MODELS = {"checkpoints": [CHECKPOINT], "controlnet": CONTROLS, "loras": [LORA]}


@pytest.fixture(scope="session")
def comfy(tmp_path_factory):
    if comfyui() is None:
        pytest.fail("no ComfyUI found; set COMFYUI_PATH, or leave the host marker out")
    from comfy_server import Server

    server = Server(tmp_path_factory.mktemp("comfy"))
    for asset in ASSETS.iterdir():
        server.put_input(asset)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def object_info(comfy):
    """Every node's schema, fetched once."""
    return comfy.get("/object_info")


@pytest.fixture(scope="session")
def pack_schemas(object_info):
    """The schemas of this pack's nodes."""
    from schemas import pack_nodes

    return pack_nodes(object_info, PACK.name)


@pytest.fixture(scope="session")
def adapters(comfy):
    """The server with random image-prompt adapters in its folder."""
    write_all(comfy.base / "models" / "ipadapter")
    return comfy


@pytest.fixture(scope="session")
def fusions(comfy):
    """The server with random fusion blocks in its folder."""
    from random_fusion import write_all as write_fusions

    write_fusions(comfy.base / "models" / "mmc_fusion")
    return comfy


@pytest.fixture(scope="session")
def encoders(comfy):
    """The server with tiny random encoders in its folder, and folders that are none."""
    there = comfy.base / "models" / "mmc_encoders"
    shutil.copytree(_written("random_encoders.py"), there, dirs_exist_ok=True)
    return comfy


@pytest.fixture(scope="session")
def priors(encoders):
    """The server with random priors, a text tower of theirs, and a small unCLIP model."""
    from random_priors import write_all as write_priors
    from random_unclip import CHECKPOINT as UNCLIP

    write_priors(encoders.base / "models" / "mmc_priors")
    there = encoders.base / "models" / "checkpoints"
    there.mkdir(parents=True, exist_ok=True)
    (there / UNCLIP).symlink_to(_written("random_unclip.py") / UNCLIP)
    return encoders


@pytest.fixture(scope="session")
def random_models():
    """The folder of random weights in published layouts: 3.5 GB, kept for the next session."""
    return _written("random_sd15.py")


@pytest.fixture(scope="session")
def sd15(comfy, random_models):
    """The server with SD 1.5, two ControlNets and a LoRA, all random, in its model folders."""
    for kind, names in MODELS.items():
        there = comfy.base / "models" / kind
        there.mkdir(parents=True, exist_ok=True)
        for name in names:
            (there / name).symlink_to(random_models / name)
    return comfy


def _written(name):
    """The folder that a script of the host's Python fills; it is kept for the next session."""
    script = Path(__file__).absolute().with_name(name)
    crc = zlib.crc32(script.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"mmc_{script.stem}_{crc:08x}"
    host = comfyui()
    subprocess.run([interpreter(host), script, folder], cwd=host, check=True)
    return folder
