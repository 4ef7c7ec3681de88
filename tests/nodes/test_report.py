"""Report and schedule nodes through the API: what they draw and say, and what they refuse."""

import json
import urllib.parse
import urllib.request
from io import BytesIO

import numpy as np
import pytest
from comfy_server import ServerError
from compare import identical
from graph import Graph
from PIL import Image

from mm_core.guidance.schedule import KINDS

pytestmark = pytest.mark.host

CURVE = {
    "kind": "linear", "start": 0.0, "end": 1.0, "first": 0.0, "last": 1.0, "center": 1.0,
    "width": 1.2, "low": 0.2, "high": 5.0, "points": "0:1, 0.5:0.2, 1:0",
}  # fmt: skip


def shown(comfy, prompt, node, **kwargs):
    """(pictures drawn on a node, texts that PreviewAny nodes show), of one run."""
    outputs = comfy.run(prompt, **kwargs)
    found = []
    for item in outputs[node]["images"]:
        query = urllib.parse.urlencode({k: item[k] for k in ("filename", "subfolder", "type")})
        with urllib.request.urlopen(comfy.url(f"/view?{query}"), timeout=60) as answer:
            found.append(Image.open(BytesIO(answer.read())).convert("RGB"))
    return found, [text for out in outputs.values() for text in out.get("text", [])]


def reported(comfy, graph, report):
    """(chart on the node, figures, chart as an IMAGE) of a report."""
    node = graph.add("MMC_Report", report=report)
    graph.add("PreviewAny", source=[node[0], 1])
    (drawn,), (text,) = shown(comfy, graph.prompt, node[0])
    graph.save_image([node[0], 0])
    saved = comfy.images(graph.prompt)[-1]
    return drawn, json.loads(text), saved


def test_a_plan_is_drawn_before_it_runs(comfy):
    g = Graph()
    guider = g.guider(g.text(weight=3.0), g.picture("depth", weight=1.5, end=0.6))
    chart, figures, saved = reported(comfy, g, [guider[0], 1])
    assert chart.width == 960
    assert np.median(chart) == 255
    assert identical(chart, saved)
    assert figures["evaluations"] is None
    assert [m["name"] for m in figures["modalities"]] == ["text", "depth"]
    assert [(s["start"], s["end"]) for s in figures["stages"]] == [(0.0, 0.6), (0.6, 1.0)]


def test_a_run_is_drawn_with_its_rows(comfy):
    g = Graph()
    sampled = g.guided(g.text(weight=3.0), g.picture("depth", weight=1.5), speed="fast", steps=6)
    chart, figures, saved = reported(comfy, g, [sampled[0], 1])
    assert chart.width == 960
    assert identical(chart, saved)
    assert figures["evaluations"] == 6
    assert figures["rows"] == sum(len(s["fresh"]) for s in figures["steps"])
    assert figures["kept"] == sum(len(s["kept"]) for s in figures["steps"]) > 0


def test_reports_end_a_graph_and_two_of_them_agree(comfy):
    g = Graph()
    sampled = g.guided(g.text())
    ends = [g.add("MMC_Report", report=[sampled[0], 1]) for _ in range(2)]
    one, other = (shown(comfy, g.prompt, end[0])[0][0] for end in ends)
    assert identical(one, other)


def curve(g, **changed):
    """A schedule's node, and a node that asks for its picture: alone it is no reason to run."""
    node, _ = g.add("MMC_Schedule", **{**CURVE, **changed})
    g.save_image([node, 1])
    return node


@pytest.mark.parametrize("kind", KINDS)
def test_a_curve_of_every_kind_is_drawn(comfy, kind):
    g = Graph()
    ((drawn,), _), saved = shown(comfy, g.prompt, curve(g, kind=kind)), comfy.images(g.prompt)[-1]
    assert drawn.size == (640, 360)
    assert identical(drawn, saved)


def test_curves_of_other_settings_look_different(comfy):
    found = []
    for changed in ({}, {"end": 0.5}, {"kind": "bell"}, {"kind": "points", "points": "0:0\n1:1"}):
        g = Graph()
        found.append(shown(comfy, g.prompt, curve(g, **changed))[0][0])
    assert len({picture.tobytes() for picture in found}) == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "points", "points": "0:1, half"}, "points: 'half' is no pair of finite numbers"),
        ({"kind": "points", "points": ""}, "points: found none; write progress:value pairs"),
        ({"kind": "window", "start": 0.7, "end": 0.2}, "a schedule runs from 0.7 to 0.2; both"),
        ({"kind": "band", "low": 5.0, "high": 0.2}, "its low must be 0 or more and below its high"),
        ({"center": 2000.0}, "bigger than max"),
        ({"kind": "sine"}, "not in list"),
    ],
)
def test_what_is_no_curve_is_refused_by_name(comfy, changed, said):
    g = Graph()
    curve(g, **changed)
    with pytest.raises(ServerError, match=said):
        comfy.run(g.prompt)


def test_points_matter_to_the_kind_points_only(comfy):
    g = Graph()
    assert shown(comfy, g.prompt, curve(g, points="nonsense"))[0]
