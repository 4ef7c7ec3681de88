"""The templates as files; tests/web sees them in the editor."""

import itertools
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).absolute().parents[1] / "example_workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
TITLE = 30  # a node's title is above its place
FILES_OF_THE_USER = {"LoadImage", "LoadAudio", "LoadImageMask", "LoadVideo", "LoadLatent"}


def drawn(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def api(name):
    return json.loads((FOLDER / "api" / f"{name}.json").read_text())


def rectangle(node):
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE, x + width, y + height


def test_each_has_a_thumbnail_and_an_api_form():
    assert NAMES
    assert {path.stem for path in FOLDER.glob("*.jpg")} == set(NAMES)
    assert {path.stem for path in (FOLDER / "api").glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_none_needs_a_file_of_the_users(name):
    assert FILES_OF_THE_USER.isdisjoint(node["type"] for node in drawn(name)["nodes"])


@pytest.mark.parametrize("name", NAMES)
def test_the_drawn_graph_has_the_wires_of_the_api_form(name):
    graph = drawn(name)
    ends = {
        (str(target), str(source), slot, inputs["name"])
        for _, source, slot, target, at, _ in graph["links"]
        for node in graph["nodes"] if node["id"] == target
        for inputs in [node["inputs"][at]]
    }  # fmt: skip
    assert ends == {
        (i, *value, name)
        for i, node in api(name).items()
        for name, value in node["inputs"].items()
        if isinstance(value, list)
    }


@pytest.mark.parametrize("name", NAMES)
def test_nodes_are_apart_and_each_in_a_group(name):
    graph = drawn(name)
    places = {node["title"] if "title" in node else node["type"]: rectangle(node)
              for node in graph["nodes"]}  # fmt: skip
    assert len(places) == len(graph["nodes"])
    for (a, one), (b, other) in itertools.combinations(places.items(), 2):
        apart = (one[2] <= other[0] or other[2] <= one[0]
                 or one[3] <= other[1] or other[3] <= one[1])  # fmt: skip
        assert apart, f"{a} and {b}"
    for title, (left, top, right, bottom) in places.items():
        holds = [
            group["title"]
            for group in graph["groups"]
            for x, y, width, height in [group["bounding"]]
            if x <= left and y <= top and right <= x + width and bottom <= y + height
        ]
        assert len(holds) == 1, f"{title} is in {holds}"
