"""A file that is replaced under its name is read again, though nothing in the graph has changed."""

import shutil

import pytest
from graph_encode import Fusing, words

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ("node", "socket", "there", "before", "after"),
    [
        ("MMC_LoadIPAdapter", "file", "ipadapter", "one.safetensors", "plus.safetensors"),
        ("MMC_LoadFusion", "file", "mmc_fusion", "new.safetensors", "frames.safetensors"),
        ("MMC_LoadEncoder", "folder", "mmc_encoders", "dinov2", "video"),
    ],
)
def test_what_is_replaced_is_read_again(request, node, socket, there, before, after):
    users = {"ipadapter": "adapters", "mmc_fusion": "fusions", "mmc_encoders": "encoders"}
    comfy = request.getfixturevalue(users[there])
    folder = comfy.base / "models" / there
    name = f"replaced{'' if socket == 'folder' else '.safetensors'}"
    g = Fusing()
    loaded = g.add(node, **{socket: name})
    first = _said(comfy, g, loaded, folder / before, folder / name)
    again = _said(comfy, g, loaded, folder / before, folder / name)
    other = _said(comfy, g, loaded, folder / after, folder / name)
    assert first == again
    assert other != first


def _said(comfy, g, loaded, source, target):
    """What the loader says of a copy of source."""
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    shown = g.read(loaded, 1)
    return words(comfy.run(g.prompt), shown)
