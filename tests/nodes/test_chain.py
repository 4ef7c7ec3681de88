"""Modality nodes one behind another: one wire carries all, in order, and counts as sockets do."""

import pytest
import torch
from comfy_server import ServerError
from graph import Graph

pytestmark = pytest.mark.host

ORDERED = ["leave_one_out", "chained", "nested"]


def behind(g, *makers):
    """The last link of a chain."""
    link = None
    for make in makers:
        link = make() if link is None else make(modalities=link)
    return link


def makers(g):
    return (
        g.text,
        lambda **more: g.picture("style", weight=2.0, **more),
        lambda **more: g.picture("depth", weight=1.5, **more),
    )


def said(comfy, g):
    with pytest.raises(ServerError) as error:
        comfy.run(g.prompt)
    return str(error.value)


@pytest.mark.parametrize("composition", ORDERED)
def test_a_chain_is_the_same_inputs_in_sockets_of_their_own(comfy, composition):
    g = Graph()
    text, style, depth = makers(g)
    g.keep(g.guided(text(), style(), depth(), composition=composition))
    g.keep(g.guided(behind(g, text, style, depth), composition=composition))
    g.keep(g.guided(behind(g, text, style), depth(), composition=composition))
    g.keep(g.guided(text(), behind(g, style, depth), composition=composition))
    g.keep(g.guided(behind(g, depth, style, text), composition=composition))
    sockets, *chains, backward = comfy.latents(g.prompt)
    assert all(torch.equal(sockets, chain) for chain in chains)
    if composition != "leave_one_out":
        assert not torch.equal(sockets, backward)


def test_every_kind_of_modality_node_hands_on_what_was_before_it(comfy):
    """Each chain begins with a text and ends in another kind; sockets of their own say what both
    give."""
    g = Graph()
    text = g.text(weight=4.0)
    ends = [
        lambda **more: g.text("a blue star", **more),
        *(lambda name=name, **more: g.picture(name, **more) for name in
          ("style", "depth", "pose", "segmentation")),
        g.sound,
        lambda **more: g.add(
            "MMC_Condition", conditioning=g.words("a blue star"), name="other", weight=3.0,
            start=0.0, end=1.0, **more),
    ]  # fmt: skip
    for end in ends:
        g.keep(g.guided(text, end()))
        g.keep(g.guided(end(modalities=text)))
    kept = comfy.latents(g.prompt)
    assert len(kept) == 2 * len(ends)
    for sockets, chain in zip(kept[::2], kept[1::2], strict=True):
        assert torch.equal(sockets, chain)


@pytest.mark.parametrize("node", ["guided", "guider"])
def test_a_socket_of_any_number_suffices(comfy, node):
    g = Graph()
    for number in (0, 3):
        made = getattr(g, node)(g.text())
        inputs = g.prompt[made[0]]["inputs"]
        inputs[f"modalities.modality{number}"] = inputs.pop("modalities.modality0")
        g.keep(made if node == "guided" else g.custom(made))
    first, fourth = comfy.latents(g.prompt)
    assert torch.equal(first, fourth)


@pytest.mark.parametrize("node", ["guided", "guider"])
def test_nothing_connected_is_an_error(comfy, node):
    g = Graph()
    made = getattr(g, node)()
    g.save(made if node == "guided" else g.custom(made))
    assert said(comfy, g) == (
        "no modality is connected; connect at least one, such as Text Modality"
    )


def test_an_input_that_comes_by_two_sockets_is_refused(comfy):
    g = Graph()
    text = g.text()
    wires = g.picture("style", modalities=text), g.picture("depth", modalities=text)
    g.save(g.guided(*wires))
    assert said(comfy, g) == (
        "the text input comes by modality0 and again by modality1, and would count twice: put the "
        "modality nodes one behind the other and connect the last"
    )


def test_sixteen_inputs_are_the_most_on_a_wire_too(comfy):
    g = Graph()
    link = behind(g, *[g.text] * 16)
    g.keep(g.guided(link, composition="joint", steps=1))
    assert len(comfy.latents(g.prompt)) == 1
    g.keep(g.guided(g.text(modalities=link), composition="joint", steps=1))
    assert said(comfy, g) == "found 17 inputs; a sampler takes at most 16"


def test_a_socket_that_there_is_not_is_named(comfy):
    g = Graph()
    g.save(g.guided(*[g.text()] * 17))
    assert said(comfy, g) == (
        "this node has no input modalities.modality16: put modality nodes one behind the other, "
        "and connect the last"
    )


def test_what_is_no_modality_is_refused_by_name(comfy):
    """As where the editor hands on a node's first input for one that is bypassed."""
    g = Graph()
    other = g.add("ProbeAnything", anything=g.clip)
    g.save(g.guided(other))
    assert said(comfy, g) == "modality0 got CLIP: connect a modality node, such as Text Modality"


def written(g, off):
    """The prompt as a workflow of the editor, with one node muted; the prompt loses it."""
    nodes, links = [], []
    for number, node in g.prompt.items():
        slots = []
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                modal = name.startswith("modalities")
                links.append([len(links) + 1, int(value[0]), value[1], int(number), len(slots),
                              "MMC_MODALITY" if modal else "OTHER"])  # fmt: skip
                slots.append({"name": name, "type": links[-1][5], "link": len(links)})
        nodes.append({"id": int(number), "type": node["class_type"], "inputs": slots,
                      "mode": 2 if number == off else 0})  # fmt: skip
    del g.prompt[off]
    for node in g.prompt.values():
        node["inputs"] = {k: v for k, v in node["inputs"].items() if v != [off, 0]}
    return {"nodes": nodes, "links": links}


@pytest.mark.parametrize("node", ["guided", "guider"])
def test_a_mute_that_cuts_off_inputs_is_refused_by_name(comfy, node):
    g = Graph()
    text, style, depth = makers(g)
    first = text()
    second = style(modalities=first)
    made = getattr(g, node)(depth(modalities=second))
    g.keep(made if node == "guided" else g.custom(made))
    workflow = written(g, second[0])
    with pytest.raises(ServerError) as error:
        comfy.run(g.prompt, workflow=workflow)
    assert str(error.value) == (
        f"Style Image Modality (node {second[0]}) is muted, which cuts off Text Modality (node "
        f"{first[0]}) before it on the same wire: bypass it instead (Ctrl+B)"
    )
    assert comfy.run(g.prompt)  # without a workflow there is nothing to tell
    assert comfy.run(g.prompt, workflow={"nodes": [], "links": []})


@pytest.mark.parametrize("missing", ["latent_image", "model"])
def test_a_preview_node_is_no_reason_for_success(comfy, missing):
    """A schedule, a preset and a report stand beside a sampler that cannot run."""
    g = Graph()
    curve = g.add(
        "MMC_Schedule", kind="linear", start=0.0, end=1.0, first=0.0, last=1.0, center=1.0,
        width=1.2, low=0.2, high=5.0, points="0:1, 1:0",
    )  # fmt: skip
    preset = g.add("MMC_Preset", preset="everything")
    sampled = g.guided(g.text(schedule=curve), preset=preset)
    g.save(sampled)
    g.add("MMC_Report", report=[sampled[0], 1])
    del g.prompt[sampled[0]]["inputs"][missing]
    status, answer = comfy.post("/prompt", {"prompt": g.prompt})
    assert status == 400
    (error,) = answer["node_errors"][sampled[0]]["errors"]
    assert error["type"] == "required_input_missing"
    assert error["extra_info"]["input_name"] == missing


def test_a_schedule_is_drawn_on_its_node_where_it_is_used(comfy):
    g = Graph()
    curve = g.add(
        "MMC_Schedule", kind="linear", start=0.0, end=1.0, first=0.0, last=1.0, center=1.0,
        width=1.2, low=0.2, high=5.0, points="0:1, 1:0",
    )  # fmt: skip
    g.save(g.guided(g.text(schedule=curve)))
    outputs = comfy.run(g.prompt)
    assert len(outputs[curve[0]]["images"]) == 1
