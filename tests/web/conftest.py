"""One server for the browser tests."""

import pytest
from find_comfyui import ASSETS, comfyui


@pytest.fixture(scope="session")
def comfy(tmp_path_factory):
    if comfyui() is None:
        pytest.fail("no ComfyUI found; set COMFYUI_PATH, or leave the browser marker out")
    from comfy_server import Server

    server = Server(tmp_path_factory.mktemp("comfy"))
    for asset in ASSETS.iterdir():
        server.put_input(asset)
    yield server
    server.stop()
