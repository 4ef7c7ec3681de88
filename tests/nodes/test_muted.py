"""Which mutes cut off inputs, on workflows as the editor writes them. Needs no host."""

import importlib.util
import json

import pytest
from find_comfyui import PACK

spec = importlib.util.spec_from_file_location("muted", PACK / "nodes" / "host" / "muted.py")
muted = importlib.util.module_from_spec(spec)
spec.loader.exec_module(muted)

EXAMPLES = sorted((PACK / "example_workflows").glob("*.json"))
NAMES = {"MMC_Depth": "Depth Modality", "MMC_Text": "Text Modality"}
NEVER, BYPASS = 2, 4
WIRE = "MMC_MODALITY"


class Workflow:
    """Nodes are added in order, each with the ids of those before it."""

    def __init__(self):
        self.nodes, self.links, self.subgraphs = {}, [], []

    def node(self, number, *before, type_="MMC_Text", wire=WIRE, mode=0):
        self.nodes[number] = {
            "id": number, "type": type_, "mode": mode,
            "inputs": [self._slot(b, number, slot, wire) for slot, b in enumerate(before)],
            "outputs": [{"name": "modalities", "type": WIRE}],
        }  # fmt: skip

    def _slot(self, origin, number, slot, wire):
        self.links.append([len(self.links) + 1, origin, 0, number, slot, wire])
        return {"name": f"in{slot}", "type": wire, "link": len(self.links)}

    def inside(self, name, number, *before, mode=0):
        """A subgraph of a chain of two, 1 and 2, with what is before it."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [[1, -10, 0, 1, 0, WIRE], [2, 1, 0, 2, 0, WIRE], [3, 2, 0, -20, 0, WIRE]]
        nodes = [
            {"id": k, "type": "MMC_Depth", "mode": 0, "outputs": [{"type": WIRE}],
             "inputs": [{"name": "modalities", "type": WIRE, "link": k}]} for k in (1, 2)
        ]  # fmt: skip
        self.subgraphs.append({
            "id": name, "name": "Layout", "nodes": nodes,
            "links": [dict(zip(keys, link, strict=True)) for link in links],
            "inputs": [{"name": "in0"}], "outputs": [{"name": "modalities", "linkIds": [3]}],
        })  # fmt: skip
        self.node(number, *before, type_=name, mode=mode)
        return nodes

    def said(self, sampler="9", prompt=None):
        written = {
            "nodes": list(self.nodes.values()), "links": self.links,
            "definitions": {"subgraphs": self.subgraphs},
        }  # fmt: skip
        prompt = prompt or {sampler: {"inputs": {}}}
        return muted.cut_off(written, prompt, sampler, NAMES)


def chain(*off, mode=NEVER):
    """Text, style, depth and pose, 2 to 8, on one wire to the sampler 9; some muted or bypassed."""
    w = Workflow()
    for before, title in ((0, "Text"), (2, "Style"), (4, "Depth"), (6, "Pose")):
        number = before + 2
        w.node(number, *([before] if before else []), mode=mode if number in off else 0)
        w.nodes[number]["title"] = title
    w.node(9, 8, type_="MMC_KSampler")
    return w


@pytest.mark.parametrize(
    ("off", "said"),
    [
        ((4,), "Style (node 4) is muted, which cuts off Text (node 2) before it on the same wire: "
         "bypass it instead (Ctrl+B)"),
        ((8,), "Pose (node 8) is muted, which cuts off Text (node 2), Style (node 4) and Depth "
         "(node 6) before it on the same wire: bypass it instead (Ctrl+B)"),
        ((2, 8), "Pose (node 8) is muted, which cuts off Style (node 4) and Depth (node 6) before "
         "it on the same wire: bypass it instead (Ctrl+B)"),
        ((2,), None),
        ((2, 4), None),
        ((), None),
    ],
)  # fmt: skip
def test_a_mute_that_cuts_off_inputs_is_named_with_them(off, said):
    assert chain(*off).said() == said


@pytest.mark.parametrize("off", [(2,), (4,), (6, 8), (2, 4, 6, 8)])
def test_a_bypass_cuts_off_nothing(off):
    assert chain(*off, mode=BYPASS).said() is None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_in_each_example_it_is_the_last_node_that_must_not_be_muted(path):
    workflow = json.loads(path.read_text())
    prompt = json.loads((path.parent / "api" / path.name).read_text())
    sampler = next(n for n, node in prompt.items() if node["class_type"] == "MMC_KSampler")
    last, _ = prompt[sampler]["inputs"].pop("modalities.modality0")
    assert muted.cut_off(workflow, prompt, sampler, NAMES) is None
    next(n for n in workflow["nodes"] if str(n["id"]) == last)["mode"] = NEVER
    said = muted.cut_off(workflow, prompt, sampler, NAMES)
    assert f"(node {last}) is muted, which cuts off" in said


def test_a_mute_before_a_bypassed_node_is_found():
    w = Workflow()
    w.node(1)
    w.node(2, 1, type_="MMC_Depth", mode=NEVER)
    w.node(3, 2, mode=BYPASS)
    w.node(9, 3, type_="MMC_KSampler")
    assert w.said() == (
        "Depth Modality (node 2) is muted, which cuts off Text Modality (node 1) before it on the "
        "same wire: bypass it instead (Ctrl+B)"
    )


def test_what_also_comes_by_another_wire_is_not_cut_off():
    w = Workflow()
    w.node(1)
    w.node(2, 1, mode=NEVER)
    w.node(3, 1)
    w.node(9, 2, 3, type_="MMC_KSampler")
    reached = {
        "9": {"inputs": {"a": ["3", 0]}},
        "3": {"inputs": {"b": ["1", 0]}},
        "1": {"inputs": {}},
    }
    assert w.said(prompt=reached) is None
    assert w.said() is not None


def test_a_muted_branch_of_another_sampler_is_no_concern():
    w = Workflow()
    w.node(1)
    w.node(2, 1, mode=NEVER)
    w.node(8, 2, type_="MMC_KSampler")
    w.node(3, 1)
    w.node(9, 3, type_="MMC_KSampler")
    assert w.said() is None
    assert w.said("8") is not None


@pytest.mark.parametrize(("first", "found"), [(NEVER, False), (0, True)])
def test_a_switch_may_have_a_muted_choice_and_none_that_is_cut_off(first, found):
    w = Workflow()
    w.node(1)
    w.node(2, 1, mode=NEVER)
    w.node(3, 2, mode=first)
    w.node(4)
    w.node(5, 3, 4, type_="Any Switch", wire="*")
    w.node(9, 5, type_="MMC_KSampler")
    assert (w.said() is not None) == found


def test_a_reroute_is_walked_through_and_is_no_input_itself():
    w = Workflow()
    w.node(1, mode=NEVER)
    w.node(2, 1, type_="Reroute")
    w.node(3, 2, mode=NEVER)
    w.node(4, 3, type_="Reroute")
    w.node(9, 4, type_="MMC_KSampler")
    assert w.said() is None
    w.nodes[1]["mode"] = 0
    assert "cuts off Text Modality (node 1) before" in w.said()


def test_a_node_inside_a_subgraph_is_found_with_what_is_outside():
    w = Workflow()
    w.node(5)
    inner = w.inside("a-b-c", 6, 5)
    w.node(9, 6, type_="MMC_KSampler")
    assert w.said() is None
    inner[1]["mode"] = NEVER
    assert w.said() == (
        "Depth Modality (node 6:2) is muted, which cuts off Text Modality (node 5) and Depth "
        "Modality (node 6:1) before it on the same wire: bypass it instead (Ctrl+B)"
    )


def test_a_muted_subgraph_cuts_off_what_is_before_it_and_not_its_own():
    w = Workflow()
    w.node(5)
    w.inside("a-b-c", 6, 5, mode=NEVER)
    w.node(9, 6, type_="MMC_KSampler")
    assert w.said() == (
        "Layout (node 6) is muted, which cuts off Text Modality (node 5) before it on the same "
        "wire: bypass it instead (Ctrl+B)"
    )


def test_a_sampler_inside_a_subgraph_looks_out_of_it():
    w = Workflow()
    w.node(4)
    w.node(5, 4, mode=NEVER)
    inner = w.inside("a-b-c", 6, 5)
    inner[1]["type"] = "MMC_KSampler"
    assert "cuts off Text Modality (node 4) before" in w.said("6:2")


@pytest.mark.parametrize(
    "workflow",
    [None, [], {}, {"nodes": [], "links": []}, {"nodes": None, "links": [[1]]}, "text",
     {"nodes": [{"id": 10, "type": "MMC_KSampler", "inputs": [{"link": 3}]}], "links": []}],
)  # fmt: skip
def test_a_workflow_that_is_none_tells_nothing(workflow):
    assert muted.cut_off(workflow, {"10": {"inputs": {}}}, "10") is None


def test_a_ring_of_wires_ends():
    w = Workflow()
    w.node(1, 2)
    w.node(2, 1, mode=NEVER)
    w.node(9, 1, type_="MMC_KSampler")
    assert "node 2) is muted, which cuts off Text Modality (node 1)" in w.said()
