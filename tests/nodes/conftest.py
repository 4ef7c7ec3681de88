"""One server for all host tests."""

import pytest
from find_comfyui import ASSETS, PACK, comfyui


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
