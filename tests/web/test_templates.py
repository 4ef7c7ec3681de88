"""Every template as a new user meets it: chosen in the Templates browser, run at the first press.

SCREENSHOTS names a folder for pictures of each, right after it opened and after its first run.
"""

import itertools
import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack

import pytest
from compare import psnr, shows_something
from find_comfyui import ASSETS, PACK
from PIL import Image
from schemas import inputs_of

pytestmark = pytest.mark.browser

TEMPLATES = sorted((PACK / "example_workflows").glob("*.json"))
MODES = {"classic": False, "vue": True}
WIDTH, HEIGHT = 1800, 1000
SECONDS = 300
COMPLAINT = re.compile(r"(errors?|issues?) found|missing (nodes?|models?)|failed to load", re.I)
OURS = (f"/extensions/{PACK.name}/", "MMC_", "mmc")
UNHEARD = "Unknown message type mmc.step"  # frontend 1.58 says so of events that no script hears


@pytest.fixture(scope="module")
def page_in(comfy):
    """(page, console errors) of a mode: Nodes 2.0 off, or on. One browser at a time."""
    from browser import frontend

    with ExitStack() as held:
        opened = {}

        def page_in(mode):
            if mode not in opened:
                held.close()
                opened.clear()
                opened[mode] = held.enter_context(frontend(comfy, WIDTH, HEIGHT, MODES[mode]))
            return opened[mode]

        yield page_in


@pytest.fixture(
    scope="module",
    params=list(itertools.product(MODES, TEMPLATES)),
    ids=lambda of: f"{of[0]}, {of[1].stem}",
)
def met(request, comfy, page_in):
    """What a user has before and after the first press of Run."""
    from browser import PICTURES, open_template, press_run, settle

    mode, path = request.param
    workflow = json.loads(path.read_text())
    page, errors = page_in(mode)
    errors.clear()
    open_template(page, PACK.name, path.stem, len(workflow["nodes"]))
    found = {"name": path.stem, "workflow": workflow, "opened": looked_at(page)}
    shoot(page, comfy, f"{mode}-{path.stem}-open")
    found["sent"], found["answer"] = press_run(page)
    found["run"] = comfy.finished(found["answer"]["prompt_id"], SECONDS)
    page.wait_for_function(PICTURES, arg="Result")
    settle(page)
    found["done"] = looked_at(page)
    shoot(page, comfy, f"{mode}-{path.stem}-run")
    found["errors"] = [e for e in errors if any(name in e for name in OURS) and e != UNHEARD]
    return found


def looked_at(page):
    from browser import FITS, PICTURES, WRONG, rectangles

    return {
        "nodes": rectangles(page),
        "wrong": page.evaluate(WRONG),
        "complaints": [e.inner_text() for e in page.get_by_text(COMPLAINT).all() if e.is_visible()],
        "result": page.evaluate(PICTURES, "Result"),
        "note fits": page.evaluate(FITS),
    }


def shoot(page, comfy, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        host = comfy.get("/system_stats")["system"]["comfyui_version"]
        version = page.evaluate("window.__COMFYUI_FRONTEND_VERSION__")
        page.screenshot(path=f"{folder}/{host}-{version}-{name}.png")


def test_nothing_is_unknown_or_red(met):
    for look in (met["opened"], met["done"]):
        assert look["wrong"] == []
        assert look["complaints"] == []
    assert met["errors"] == []


def test_no_node_covers_another(met):
    from browser import overlapping

    assert len(met["opened"]["nodes"]) == len(met["workflow"]["nodes"])
    assert overlapping(met["opened"]["nodes"]) == []
    assert overlapping(met["done"]["nodes"]) == []


def test_the_first_press_of_run_makes_pictures(met, comfy):
    assert met["answer"].get("node_errors", {}) == {}
    assert met["run"]["status"]["status_str"] == "success"
    made = comfy.pictures(met["run"]["outputs"])
    assert made
    assert all(shows_something(picture) for picture in made)
    assert met["opened"]["result"] == 0
    assert met["done"]["result"] >= 1


def test_run_sends_the_graph_of_the_api(met, comfy):
    """What that file leaves out has its default."""
    api = json.loads((PACK / "example_workflows" / "api" / f"{met['name']}.json").read_text())
    info = comfy.get("/object_info")
    assert met["sent"].keys() == api.keys()
    for i, node in api.items():
        sent = met["sent"][i]["inputs"]
        assert {k: sent[k] for k in node["inputs"]} == node["inputs"]
        options = {name: o for name, _, o, _ in inputs_of(info[node["class_type"]])}
        for name in sent.keys() - node["inputs"].keys():
            assert sent[name] == options[name]["default"], f"{node['_meta']['title']}: {name}"


def test_all_nodes_are_on_the_screen(met):
    for look in (met["opened"], met["done"]):
        for title, (left, top, width, height) in look["nodes"].items():
            assert left >= 0, title
            assert top >= 0, title
            assert left + width <= WIDTH, title
            assert top + height <= HEIGHT, title


def test_the_note_is_read_without_scrolling(met):
    assert met["opened"]["note fits"]


def test_no_file_of_the_input_folder_is_used(comfy, met):
    assert [p for p in (comfy.base / "input").rglob("*") if p.is_file()] == []


def test_the_first_template_is_mmc_generate(comfy, met, tmp_path):
    if met["name"] != "01-four-inputs":
        pytest.skip("the others hold what the command line has no option for")
    (seen,) = comfy.pictures(met["run"]["outputs"])
    values = {
        n["type"]: n["widgets_values"] for n in met["workflow"]["nodes"] if "widgets_values" in n
    }
    sampler = values["MMC_KSampler"]
    command = ["--text", values["MMC_Text"][0], "--weight", f"text={values['MMC_Text'][1]}"]
    command += ["--seed", str(sampler[2]), "--steps", str(sampler[4])]
    for kind, name in (("MMC_StyleImage", "style"), ("MMC_Depth", "depth"), ("MMC_Pose", "pose")):
        command += [f"--{name}", str(ASSETS / f"mmc_{name}.png")]
        command += ["--weight", f"{name}={values[kind][0]}"]
    out = tmp_path / "own.png"
    subprocess.run(
        [sys.executable, "-m", "mm_core", "generate", *command, "--out", str(out)],
        check=True, cwd=PACK,
    )  # fmt: skip
    with Image.open(out) as own:
        large = own.resize(seen.size, Image.Resampling.LANCZOS)  # as the graph enlarges it
    assert psnr(large, seen) >= 44  # the command line rounds to 8 bit, the host cuts off twice
