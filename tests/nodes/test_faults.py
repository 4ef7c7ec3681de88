"""Runs that are cancelled, fail or lack memory: the next run and the model are as if not."""

import pytest
from comfy_server import ServerError
from compare import off
from graph import Graph
from graph_sd15 import said

pytestmark = pytest.mark.host

SAID = {
    "interrupt": "^interrupted$", "memory": "probe: out of memory", "error": "the network failed"
}  # fmt: skip


def graph(fault=None, kind="guided", steps=2):
    """(prompt, node of the count, node of the state). Runs anew each time."""
    g = Graph()
    loaded = g.model = g.add("ProbeModel")
    inputs = g.text("a red circle", weight=3.0), g.text("a large blue star", weight=2.0)
    if fault:
        g.model = g.add("ProbeFault", model=g.model, **{"after": 0, "rows": 0, "times": 0, **fault})
    counter, _ = g.add("ProbeCount", model=g.model)
    g.model = [counter, 0]
    if kind == "guided":
        sampled = g.guided(*inputs, steps=steps)
    else:
        sampled = g.custom(g.guider(*inputs), steps=steps)
    g.keep(sampled)
    counted, _ = g.add("ProbeCounted", samples=sampled, count=[counter, 1])
    state, _ = g.add("ProbeState", model=loaded, weights=True, samples=sampled)
    return g.prompt, counted, state


def run(comfy, *args, **kwargs):
    """(latent, rows of each call, state of the model)."""
    prompt, counted, state = graph(*args, **kwargs)
    outputs = comfy.run(prompt)
    (latent,) = comfy.saved(outputs)
    return latent, [call["rows"] for call in said(outputs, counted)["unet"]], said(outputs, state)


def test_the_probe_of_the_state_sees_what_another_node_patches(comfy):
    g = Graph()
    loaded = g.add("ProbeModel")
    patched = g.add("FreeU", model=loaded, b1=1.3, b2=1.4, s1=0.9, s2=0.2)
    probes = [g.add("ProbeState", model=m, weights=True)[0] for m in (loaded, patched, loaded)]
    outputs = comfy.run(g.prompt)
    before, other, after = (said(outputs, probe) for probe in probes)
    assert before == after
    assert {part for part in before if before[part] != other[part]} == {"options"}


@pytest.mark.parametrize("kind", ["guided", "custom"])
def test_ten_runs_with_faults_in_between_are_one_and_the_same(comfy, kind):
    latent, rows, state = run(comfy, kind=kind)
    assert rows == [3, 3]
    for fault in ("interrupt", "memory", "error", "interrupt", "memory"):
        prompt, _, _ = graph({"fault": fault, "after": 1}, kind=kind)
        with pytest.raises(ServerError, match=SAID[fault]):
            comfy.run(prompt)
        again, rows, left = run(comfy, kind=kind)
        assert again.equal(latent), fault
        assert rows == [3, 3]
        assert left == state


@pytest.mark.parametrize("fit", [1, 2])
def test_rows_that_do_not_fit_together_are_run_in_smaller_calls(comfy, fit):
    whole, _, _ = run(comfy)
    split, rows, _ = run(comfy, {"fault": "memory", "rows": fit})
    assert max(rows) <= fit
    assert sum(rows) == 2 * 3
    assert off(split, whole) < 1e-5


def test_a_row_that_does_not_fit_alone_is_an_error(comfy):
    prompt, _, _ = graph({"fault": "memory"})
    with pytest.raises(ServerError, match="memory"):
        comfy.run(prompt)
