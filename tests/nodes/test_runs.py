"""Run after run on one server: nothing of one run is left in the next, not even of a cancelled."""

import pytest
from comfy_server import ServerError
from compare import identical
from graph import PROMPT, Graph

pytestmark = pytest.mark.host


def graph_of(kind, seed, steps=6, pads=0):
    """(prompt, id of the sampler's node). Other spaces in the text defeat the host's cache."""
    g = Graph()
    inputs = [g.text(PROMPT + " " * pads), g.picture("style"), g.picture("depth", end=0.5)]
    if kind == "guided":
        sampled = g.guided(*inputs, seed=seed, steps=steps)
    else:
        sampled = g.custom(g.guider(*inputs), seed=seed, steps=steps)
    g.save(sampled)
    return g.prompt, sampled[0]


def drawn(comfy, kind, seed, pads):
    """The picture, made anew: the sampler did run."""
    prompt, sampler = graph_of(kind, seed, pads=pads)
    executed = []
    (picture,) = comfy.images(
        prompt,
        on_event=lambda m: (
            executed.append(m["data"].get("node")) if m["type"] == "executing" else None
        ),
    )
    assert sampler in executed, "the host took the result from its cache"
    return picture


@pytest.mark.parametrize("kind", ["guided", "custom"])
def test_the_same_graph_gives_the_same_picture_with_another_in_between(comfy, kind):
    one, two = drawn(comfy, kind, 11, pads=1), drawn(comfy, kind, 12, pads=1)
    one_again, two_again = drawn(comfy, kind, 11, pads=2), drawn(comfy, kind, 12, pads=2)
    assert identical(one, one_again)
    assert identical(two, two_again)
    assert not identical(one, two)


@pytest.mark.parametrize("kind", ["guided", "custom"])
def test_a_cancelled_run_stops_and_leaves_no_trace(comfy, kind):
    before = drawn(comfy, kind, 21, pads=3)
    prompt, sampler = graph_of(kind, 22, steps=500)
    seen = []

    def cancel(message):
        if message["type"] == "progress" and message["data"].get("node") == sampler:
            if not seen:
                comfy.post("/interrupt", {})
            seen.append(message["data"]["value"])

    with pytest.raises(ServerError, match=r"^interrupted$"):
        comfy.run(prompt, on_event=cancel)
    assert seen[-1] < 400
    assert identical(before, drawn(comfy, kind, 21, pads=4))


@pytest.mark.parametrize("kind", ["guided", "custom"])
def test_the_editor_hears_what_each_input_does_while_sampling_runs(comfy, kind):
    prompt, sampler = graph_of(kind, 31, steps=12)
    heard = []
    comfy.run(
        prompt, on_event=lambda m: heard.append(m["data"]) if m["type"] == "mmc.step" else None
    )
    assert {message["node"] for message in heard} == {sampler}
    last = heard[-1]
    assert last["evaluations"] == 12
    assert last["progress"] > 0.8
    assert {t["subject"] for t in last["terms"]} == {"text", "style"}  # depth's window is closed
    assert sum(t["share"] for t in last["terms"]) == pytest.approx(1)
    assert len(heard) <= 13  # one a step, where steps are slow, and one when all is done
