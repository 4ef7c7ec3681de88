"""Modality nodes that are muted inside a chain, found in the workflow that the editor sends along.

Of a muted node the editor sends nothing, and no wire to those before it either: in the prompt alone
they look as if nobody had connected them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

TYPE = "MMC_MODALITY"
ACTIVE, MUTED = 0, 2
SUBGRAPH_INPUTS = -10
LINK = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
Link = tuple[int, int, str]
"""The node and the output that it comes from, and what it carries."""
Place = tuple[str, ...]
"""Ids of the subgraph nodes that a node lies in, from the outside, and its own."""


def cut_off(
    workflow: Any, prompt: Any, node: str, names: Mapping[str, str] | None = None
) -> str | None:
    """A sentence where a muted node keeps inputs from a sampler, or None.

    node: the sampler's id in the prompt. names: of node types, for nodes without a title. A
    workflow that does not fit the prompt, or is none, tells nothing.
    """
    try:
        return _Workflow(workflow, names or {}).cut_off(tuple(str(node).split(":")), prompt)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


class _Graph:
    """The workflow or one of its subgraphs; they write links in different ways."""

    def __init__(self, written: Mapping[str, Any]):
        self.nodes = {str(n["id"]): n for n in written["nodes"]}
        self.inputs, self.outputs = written.get("inputs") or [], written.get("outputs") or []
        self.links: dict[int, Link] = {}
        for link in written["links"]:
            if isinstance(link, Mapping):
                link = [link[k] for k in LINK]
            number, origin, slot, _, _, type_ = link[:6]
            self.links[number] = origin, slot, type_


class _Workflow:
    def __init__(self, written: Mapping[str, Any], names: Mapping[str, str]):
        self.top, self.names = _Graph(written), names
        inner = (written.get("definitions") or {}).get("subgraphs") or []
        self.subgraphs = {s["id"]: _Graph(s) for s in inner}
        self.titles = {s["id"]: s.get("name") for s in inner}

    def cut_off(self, sampler: Place, prompt: Mapping[str, Any]) -> str | None:
        reached, seen, waiting = _upstream(prompt, ":".join(sampler)), set(), [sampler]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            if self.node(place).get("mode") == MUTED:
                lost = [p for p in self.all_before(place) if self.acts(p)]
                lost = [p for p in lost if ":".join(p) not in reached]
                if lost:
                    return (
                        f"{self.name(place)} is muted, which cuts off {self.listed(lost)} before "
                        "it on the same wire: bypass it instead (Ctrl+B)"
                    )
                continue
            before = list(self.before(place))
            if place != sampler and len(before) > 1:  # a switch: one that is muted is not chosen
                before = [p for p in before if self.node(p).get("mode") != MUTED]
            waiting += reversed(before)
        return None

    def graph(self, place: Place) -> _Graph:
        """The graph that a node lies in."""
        graph = self.top
        for holder in place[:-1]:
            graph = self.subgraphs[graph.nodes[holder]["type"]]
        return graph

    def node(self, place: Place) -> Mapping[str, Any]:
        return self.graph(place).nodes[place[-1]]

    def acts(self, place: Place) -> bool:
        """Whether it is a node of ours that gives an input, and neither it nor what it lies in is
        muted or bypassed."""
        ours = self.node(place)["type"].startswith("MMC_")
        within = [place[: k + 1] for k in range(len(place))]
        return ours and all(self.node(p).get("mode", ACTIVE) == ACTIVE for p in within)

    def before(self, place: Place) -> Iterator[Place]:
        """What is connected to a node's modality inputs."""
        graph = self.graph(place)
        for slot in self.node(place).get("inputs") or []:
            if (link := graph.links.get(slot.get("link"))) and link[2] in (TYPE, "*"):
                yield from self.origins(place[:-1], link)

    def all_before(self, place: Place) -> list[Place]:
        """The same and what is before those, as if nothing were muted; the first ones first."""
        found: dict[Place, None] = {}
        waiting = list(self.before(place))
        while waiting:
            if (one := waiting.pop()) not in found:
                found[one] = None
                waiting += self.before(one)
        return list(found)[::-1]

    def origins(self, holder: Place, link: Link) -> Iterator[Place]:
        """Where a link inside holder comes from, past the ends of subgraphs."""
        origin, slot, _ = link
        if origin == SUBGRAPH_INPUTS:
            name = self.graph((*holder, "")).inputs[slot]["name"]
            outside = self.graph(holder)
            for given in self.node(holder).get("inputs") or []:
                if given["name"] == name and (outer := outside.links.get(given.get("link"))):
                    yield from self.origins(holder[:-1], outer)
            return
        place = (*holder, str(origin))
        node = self.node(place)
        inner = self.subgraphs.get(node["type"])
        if inner is None or node.get("mode", ACTIVE) != ACTIVE:
            yield place
            return
        for number in inner.outputs[slot]["linkIds"]:
            yield from self.origins(place, inner.links[number])

    def name(self, place: Place) -> str:
        node = self.node(place)
        kind = self.titles.get(node["type"]) or self.names.get(node["type"]) or node["type"]
        return f"{node.get('title') or kind} (node {':'.join(place)})"

    def listed(self, places: list[Place]) -> str:
        *most, last = map(self.name, places)
        return f"{', '.join(most)} and {last}" if most else last


def _upstream(prompt: Mapping[str, Any], node: str) -> set[str]:
    """Every node that a node of the prompt depends on."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        for value in prompt[waiting.pop()]["inputs"].values():
            before = value[0] if isinstance(value, list) and len(value) == 2 else None
            if before in prompt and before not in found:
                found.add(before)
                waiting.append(before)
    return found
