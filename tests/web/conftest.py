"""One server for the browser tests, as a new user has it: its input folder is empty."""

import os

import pytest
from find_comfyui import comfyui


@pytest.fixture(scope="session")
def comfy(tmp_path_factory):
    if comfyui() is None:
        pytest.fail("no ComfyUI found; set COMFYUI_PATH, or leave the browser marker out")
    from comfy_server import Server

    other = os.environ.get("COMFYUI_FRONTEND")  # the static folder of another frontend package
    extra = ("--front-end-root", other) if other else ()
    server = Server(tmp_path_factory.mktemp("comfy"), *extra)
    yield server
    server.stop()
