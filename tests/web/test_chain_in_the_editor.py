"""Chains of modality nodes in the real editor: bypass, mute, and subgraphs made and undone."""

import json

import pytest
from find_comfyui import PACK

pytestmark = pytest.mark.browser

EXAMPLE = PACK / "example_workflows" / "01-four-inputs.json"
NEVER, BYPASS = 2, 4
SUBGRAPH = """ids => {
  const graph = window.app.graph;
  window.made = graph.convertToSubgraph(new Set(ids.map(id => graph.getNodeById(id)))).node;
}"""


@pytest.fixture(scope="module")
def page(comfy):
    from browser import frontend

    with frontend(comfy) as (page, _):
        yield page


@pytest.fixture
def chain(page):
    """The example is open; ids of its modality nodes, in order, and of its sampler."""
    from browser import load_workflow

    load_workflow(page, json.loads(EXAMPLE.read_text()))
    prompt, numbers = _prompt(page), []
    number, sampler = _sampler(prompt)
    wire = sampler["inputs"]["modalities.modality0"]
    while wire:
        numbers.insert(0, int(wire[0]))
        wire = prompt[wire[0]]["inputs"].get("modalities")
    return numbers, int(number)


def _prompt(page):
    return page.evaluate("async () => (await window.app.graphToPrompt()).output")


def _sampler(prompt):
    return next(item for item in prompt.items() if item[1]["class_type"] == "MMC_KSampler")


def _order(prompt):
    """Titles of what reaches the sampler, in order."""
    wire, titles = _sampler(prompt)[1]["inputs"].get("modalities.modality0"), []
    while wire:
        titles.insert(0, prompt[wire[0]]["_meta"]["title"])
        wire = prompt[wire[0]]["inputs"].get("modalities")
    return titles


def _set(page, numbers, mode):
    page.evaluate(
        "([ids, mode]) => ids.forEach(id => window.app.graph.getNodeById(id).mode = mode)",
        [numbers, mode],
    )


@pytest.mark.parametrize("off", [[0], [1], [-1], [0, -1], [1, 2]], ids=str)
def test_a_bypassed_node_lets_the_others_through(page, chain, off):
    numbers, _ = chain
    whole = _order(_prompt(page))
    assert len(whole) == len(numbers) >= 4
    _set(page, [numbers[k] for k in off], BYPASS)
    gone = {whole[k] for k in off}
    assert _order(_prompt(page)) == [title for title in whole if title not in gone]


@pytest.mark.parametrize(
    "into", [[0, 1], [1, 2], [0, 1, 2, 3], [3, "sampler"], [0, 1, 2, 3, "sampler"], ["sampler"]],
    ids=str,
)  # fmt: skip
def test_a_subgraph_keeps_every_wire_and_so_does_its_undoing(page, chain, into):
    numbers, sampler = chain
    whole = _order(_prompt(page))
    page.evaluate(SUBGRAPH, [sampler if k == "sampler" else numbers[k] for k in into])
    page.wait_for_timeout(300)  # the editor tidies growing sockets in the next frames
    assert _order(_prompt(page)) == whole
    page.evaluate("() => window.app.graph.unpackSubgraph(window.made)")
    page.wait_for_timeout(300)
    assert _order(_prompt(page)) == whole


def _run(page, comfy):
    """What the run of the open graph came to: success, or what was said."""
    with page.expect_response("**/prompt", timeout=60_000) as answer:
        page.evaluate("() => window.app.queuePrompt(0, 1)")
    prompt_id = answer.value.json()["prompt_id"]
    for _ in range(600):
        if history := comfy.get(f"/history/{prompt_id}"):
            break
        page.wait_for_timeout(200)
    status = history[prompt_id]["status"]
    errors = [told["exception_message"].strip() for kind, told in status["messages"]
              if kind == "execution_error"]  # fmt: skip
    return errors[0] if errors else status["status_str"]


def test_a_mute_inside_a_chain_is_refused_by_name(page, chain, comfy):
    numbers, _ = chain
    first, second, *_ = _order(_prompt(page))
    _set(page, numbers[1:2], NEVER)
    assert _run(page, comfy) == (
        f"{second} (node {numbers[1]}) is muted, which cuts off {first} (node {numbers[0]}) before "
        "it on the same wire: bypass it instead (Ctrl+B)"
    )


def test_a_mute_inside_a_subgraph_is_found_too(page, chain, comfy):
    numbers, _ = chain
    page.evaluate(SUBGRAPH, numbers[1:3])
    page.wait_for_timeout(300)
    _, _, third, *_ = _order(_prompt(page))
    outer, inner = page.evaluate(
        "id => { window.made.subgraph.getNodeById(id).mode = 2; return [window.made.id, id]; }",
        numbers[2],
    )
    assert f"{third} (node {outer}:{inner}) is muted, which cuts off " in _run(page, comfy)


def test_a_mute_of_the_first_input_is_no_error(page, chain, comfy):
    numbers, _ = chain
    _set(page, numbers[:1], NEVER)
    assert _run(page, comfy) == "success"
