"""The page of figures: every run is there, nothing is taken for markup."""

import re

import pytest

from mm_core.evaluation.measures import MEASURES
from mm_core.evaluation.report import OWN, html


def measures(value):
    return {m: {"value": value, "interval": 0.05, "n": 8} for m in MEASURES}


def run(section, name, value=0.5, **weights):
    return {
        "section": section, "name": name, "weights": weights, "measures": measures(value),
        "rows_per_evaluation": 2.5, "frechet": 1.25,
    }  # fmt: skip


@pytest.fixture
def result():
    return {
        "scenes": 8, "steps": 3, "sampler": "euler", "oracle_sha256": "0123456789abcdef",
        "ceiling": measures(0.975), "chance": measures(0.125),
        "runs": [
            run("main", "all inputs", 0.825),
            run("main", "<b>bold</b> & more"),
            run("sweep", "text 0, others 1", 0.2, text=0.0),
            run("sweep", "text 2, others 1", 0.7, text=2.0),
        ],
    }  # fmt: skip


def test_every_run_and_both_bounds_are_told(result):
    page = html(result)
    assert all(said in page for said in ("all inputs", "text 2, others 1", "0.825", "0.975"))
    assert page.count("<i>ceiling</i>") == page.count("<i>chance</i>") == 2
    assert page.count("2.5</td><td>1.25") == len(result["runs"])


def test_names_are_escaped(result):
    page = html(result)
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in page
    assert "<b>bold" not in page


def test_the_page_needs_nothing_else(result):
    assert not re.search(r"<script|<link|<img|https?://|url\(", html(result))


def test_a_sweep_is_plotted_upwards(result):
    points = re.search(r'<polyline points="([^"]*)"', html(result))[1]
    (x0, y0), (x1, y1) = (map(float, p.split(",")) for p in points.split())
    assert x0 < x1
    assert y1 < y0  # svg counts downwards


@pytest.mark.parametrize("missing", [0, 1])
def test_a_measure_without_cases_is_a_dash_and_no_point(result, missing):
    sweep = result["runs"][2 + missing]
    sweep["measures"][OWN["text"]] = {"value": None, "interval": None, "n": 0}
    page = html(result)
    assert "<td>-</td>" in page
    assert page.count("<circle") == 1
