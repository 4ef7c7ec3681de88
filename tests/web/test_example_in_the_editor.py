"""Example graphs in the real editor: opened, queued and compared with the command line."""

import io
import json
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from find_comfyui import PACK
from PIL import Image

pytestmark = pytest.mark.browser

EXAMPLES = sorted((PACK / "example_workflows").glob("*.json"))
EXAMPLE = PACK / "example_workflows" / "01-four-inputs.json"
OURS = (f"/extensions/{PACK.name}/", "MMC_", "mmc")


@pytest.fixture(scope="module")
def opened(comfy):
    from browser import frontend, load_workflow

    with frontend(comfy) as (page, errors):
        load_workflow(page, json.loads(EXAMPLE.read_text()))
        yield page, errors


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_node_is_known_and_no_console_error_is_ours(comfy, path):
    from browser import frontend, load_workflow

    with frontend(comfy) as (page, errors):
        load_workflow(page, json.loads(path.read_text()))
        _check_nodes(page, errors)


def _check_nodes(page, errors):
    unknown = page.evaluate(
        "() => window.app.graph.nodes.map(n => n.has_errors ? '' : n.type)"
        ".filter(type => !(type in window.LiteGraph.registered_node_types))"
    )
    assert unknown == []
    assert [e for e in errors if any(name in e for name in OURS)] == []


def test_the_queued_graph_gives_the_picture_of_mmc_generate(opened, comfy, tmp_path):
    page, _ = opened
    with page.expect_response("**/prompt", timeout=60_000) as answer:
        page.evaluate("() => window.app.queuePrompt(0, 1)")
    prompt_id = answer.value.json()["prompt_id"]
    for _ in range(600):
        history = comfy.get(f"/history/{prompt_id}")
        if history:
            break
        page.wait_for_timeout(200)
    outputs = history[prompt_id]["outputs"]
    item = next(o for o in outputs.values() if "images" in o)["images"][0]
    query = f"/view?filename={item['filename']}&subfolder={item['subfolder']}&type={item['type']}"
    with urllib.request.urlopen(comfy.url(query)) as answer:
        seen = Image.open(io.BytesIO(answer.read())).convert("RGB")

    nodes = {n["id"]: n for n in json.loads(EXAMPLE.read_text())["nodes"]}
    sampler = nodes[10]["widgets_values"]
    command = [sys.executable, "-m", "mm_core", "generate", "--out", str(tmp_path / "own.png")]
    command += ["--text", nodes[2]["widgets_values"][0], "--seed", str(sampler[2])]
    command += ["--steps", str(sampler[4])]
    for node, name in ((4, "style"), (6, "depth"), (8, "pose")):
        command += [f"--{name}", str(PACK / f"example_workflows/assets/mmc_{name}.png")]
        command += ["--weight", f"{name}={nodes[node]['widgets_values'][0]}"]
    command += ["--weight", f"text={nodes[2]['widgets_values'][1]}"]
    subprocess.run(command, check=True, cwd=PACK)
    own = Image.open(tmp_path / "own.png").convert("RGB")
    a, b = (np.asarray(i, dtype=float) / 255 for i in (seen, own))
    assert -10 * np.log10(((a - b) ** 2).mean() + 1e-12) >= 40
