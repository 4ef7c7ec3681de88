"""One server for all host tests, and graphs to run on it."""

import numpy as np
import pytest

from find_comfyui import PACK, comfyui

ASSETS = PACK / "example_workflows" / "assets"


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


@pytest.fixture
def psnr():
    def of(a, b):
        x, y = (np.asarray(i, dtype=np.float64) / 255 for i in (a, b))
        error = ((x - y) ** 2).mean()
        return float("inf") if error == 0 else float(-10 * np.log10(error))

    return of
